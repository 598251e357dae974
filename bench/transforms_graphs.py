"""Graphs of several kinds, made and frozen by TensorFlow's own package for the benches of transforms."""

from __future__ import annotations


def make_graphs(folder):
    import numpy as np
    import tensorflow as tf

    tf.keras.utils.set_random_seed(1)
    makers = {
        "keras_conv": keras_conv,
        "keras_lstm": keras_lstm,
        "old_norms": old_norms,
        "first_norms": first_norms,
        "multiplied": multiplied,
        "atrous": atrous,
        "padded": padded,
        "gathered": gathered,
        "loop": loop,
        "training": training,
        "faked": faked,
        "called": called,
        "squared": squared,
        "functional_lstm": functional_lstm,
        "functional_norm": functional_norm,
    }
    for name, make in makers.items():
        (folder / f"{name}.pb").write_bytes(make(tf, np).SerializeToString(deterministic=True))


def functional_lstm(tf, np):
    """Loops stay functions, with constants in them."""
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Input([6, 20]), layers.LSTM(24), layers.Dense(5)])
    return frozen_model(tf, model, lower_control_flow=False)


def functional_norm(tf, np):
    """A loop whose body normalises what a convolution gives, all of it with constants of its own."""

    def body(count, x):
        with tf.init_scope():
            weights = np.random.RandomState(3).uniform(-0.5, 0.5, [3, 3, 4, 4]).astype(np.float32)
        x = tf.nn.conv2d(x, tf.constant(weights), 1, "SAME")
        vectors = [tf.constant(np.linspace(0.5, 1.5, 4).astype(np.float32) * n) for n in (1, 0.1, 0.2, 1)]
        names = dict(zip(("scale", "offset", "mean", "variance"), vectors, strict=True))
        x = tf.raw_ops.FusedBatchNormV3(x=x, epsilon=0.001, is_training=False, **names)[0]
        return count + 1, tf.nn.relu(x) * tf.sqrt(tf.constant(0.5) + 0.25)

    @tf.function
    def looped(x):
        count, x = tf.while_loop(lambda count, x: count < 3, body, (tf.constant(0), x))
        return tf.identity(x, name="output")

    spec = tf.TensorSpec([1, 5, 5, 4], tf.float32, name="input")
    return looped.get_concrete_function(spec).graph.as_graph_def()


def frozen_model(tf, model, lower_control_flow=True):
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    for variable in model.weights:
        variable.assign(variable + 0.1 * tf.abs(tf.random.normal(variable.shape, seed=3)))
    function = tf.function(lambda x: tf.identity(model(x, training=False), name="output"))
    spec = tf.TensorSpec([1, *model.input_shape[1:]], tf.float32, name="input")
    concrete = function.get_concrete_function(spec)
    return convert_variables_to_constants_v2(concrete, lower_control_flow).graph.as_graph_def()


def keras_conv(tf, np):
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.Input([16, 16, 3]),
            layers.Conv2D(8, 3, strides=2),
            layers.BatchNormalization(),
            layers.ReLU(6),
            layers.DepthwiseConv2D(3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(40, activation="relu"),
            layers.Dense(30, activation="softmax"),
        ]
    )
    return frozen_model(tf, model)


def keras_lstm(tf, np):
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Input([6, 20]), layers.LSTM(24), layers.Dense(5)])
    return frozen_model(tf, model)


def in_graph(tf, build):
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.set_random_seed(1)
        build()
    return graph.as_graph_def()


def constant(tf, np, shape, name, seed=1):
    values = np.random.RandomState(seed).uniform(0.2, 1.5, shape).astype(np.float32)
    return tf.constant(values, name=name)


def raw_norm(tf, np, x, channels, name, seed):
    """The op itself: tf.nn has moved on to V3."""
    vectors = [constant(tf, np, [channels], f"{name}/{part}", seed + n) for n, part in enumerate("gbmv")]
    names = dict(zip(("scale", "offset", "mean", "variance"), vectors, strict=True))
    return tf.raw_ops.FusedBatchNorm(x=x, epsilon=0.001, is_training=False, name=name, **names)[0]


def first_norms(tf, np):
    """The op of the first releases: it is no longer made, so it is put in the place of another."""
    graph = old_norms(tf, np)
    graph.versions.producer = 8
    for node in graph.node:
        if node.op == "FusedBatchNorm":
            x, gamma, beta, mean, variance = node.input
            del node.input[:]
            node.input.extend([x, mean, variance, beta, gamma])
            node.op = "BatchNormWithGlobalNormalization"
            epsilon = node.attr["epsilon"].f
            for key in set(node.attr) - {"T"}:
                del node.attr[key]
            node.attr["variance_epsilon"].f = epsilon
            node.attr["scale_after_normalization"].b = True
    return graph


def conv(tf, np, x, shape, name, seed=5, **more):
    weights = constant(tf, np, shape, f"{name}/weights", seed)
    return tf.nn.conv2d(x, weights, strides=[1, 1, 1, 1], padding=more.pop("padding", "SAME"), name=name)


def old_norms(tf, np):
    def build():
        x = tf.compat.v1.placeholder(tf.float32, [1, 8, 8, 3], name="input")
        x = tf.nn.relu(raw_norm(tf, np, conv(tf, np, x, [3, 3, 3, 8], "c1"), 8, "n1", 1))
        x = tf.nn.relu(raw_norm(tf, np, conv(tf, np, x, [1, 1, 8, 8], "c2"), 8, "n2", 11))
        left = conv(tf, np, tf.nn.relu(x), [1, 1, 8, 4], "c3", 21)
        right = conv(tf, np, tf.nn.tanh(x), [1, 1, 8, 6], "c4", 22)
        x = raw_norm(tf, np, tf.concat([left, right], 3, name="joined"), 10, "n3", 31)
        weights = constant(tf, np, [3, 3, 10, 1], "d1/weights", 41)
        x = tf.nn.depthwise_conv2d(tf.nn.relu(x), weights, [1, 1, 1, 1], "SAME", name="d1")
        x = raw_norm(tf, np, x, 10, "n4", 51)
        block = tf.constant([2, 2], name="block")
        x = tf.raw_ops.SpaceToBatchND(input=tf.nn.relu(x), block_shape=block, paddings=[[0, 0], [0, 0]])
        x = conv(tf, np, x, [1, 1, 10, 5], "c5", 61)
        x = tf.raw_ops.BatchToSpaceND(input=x, block_shape=block, crops=[[0, 0], [0, 0]], name="whole")
        tf.identity(raw_norm(tf, np, x, 5, "n5", 71), name="output")

    return in_graph(tf, build)


def multiplied(tf, np):
    def build():
        x = tf.compat.v1.placeholder(tf.float32, [1, 8, 8, 3], name="input")
        x = conv(tf, np, x, [3, 3, 3, 8], "c1") * constant(tf, np, [8], "m1")
        x = tf.nn.relu(x + constant(tf, np, [8], "a1"))
        weights = constant(tf, np, [3, 3, 8, 2], "d1/weights", 41)
        x = tf.nn.depthwise_conv2d(x, weights, [1, 1, 1, 1], "SAME", name="d1") * constant(tf, np, [16], "m2")
        x = tf.reshape(tf.reduce_mean(x, [1, 2]), [1, 16])
        x = tf.matmul(x, constant(tf, np, [16, 20], "w")) * constant(tf, np, [20], "m3")
        tf.identity(tf.nn.softmax(x), name="output")

    return in_graph(tf, build)


def atrous(tf, np):
    def build():
        x = tf.compat.v1.placeholder(tf.float32, [1, 9, 9, 3], name="input")
        block = tf.constant([2, 2], name="block")
        x = tf.raw_ops.SpaceToBatchND(input=x, block_shape=block, paddings=[[2, 3], [2, 3]])
        x = conv(tf, np, x, [3, 3, 3, 4], "c1", padding="VALID")
        x = tf.raw_ops.BatchToSpaceND(input=x, block_shape=block, crops=[[0, 1], [0, 1]], name="c1/whole")
        tf.identity(tf.nn.relu(x), name="output")

    return in_graph(tf, build)


def padded(tf, np):
    def build():
        x = tf.compat.v1.placeholder(tf.float32, [1, 8, 8, 3], name="input")
        reflected = tf.compat.v1.image.resize_bilinear(x, [12, 12], name="r1")
        reflected = conv(
            tf,
            np,
            tf.pad(reflected, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT"),
            [3, 3, 3, 4],
            "c1",
            padding="VALID",
        )
        plain = conv(tf, np, tf.compat.v1.image.resize_bilinear(x, [12, 12], name="r2"), [3, 3, 3, 4], "c2")
        symmetric = tf.pad(tf.nn.relu(x), [[0, 0], [2, 2], [2, 2], [0, 0]], "SYMMETRIC")
        symmetric = conv(tf, np, symmetric, [1, 1, 3, 4], "c3", padding="VALID")
        x = tf.concat([reflected, plain, symmetric], 3, name="joined")
        pooled = tf.nn.max_pool2d(tf.nn.relu6(x), 2, 2, "SAME")
        tf.identity(tf.nn.avg_pool2d(pooled, 2, 2, "VALID"), name="output")

    return in_graph(tf, build)


def gathered(tf, np):
    def build():
        ids = tf.compat.v1.placeholder(tf.int64, [None], name="input")
        values = np.zeros([40, 1], np.float32)
        values[[3, 7, 20]] = [[0.5], [-1], [2]]
        first = tf.identity(tf.constant(values, name="w1"), name="w1/read")
        second = tf.identity(tf.constant(values * 2, name="w2"), name="w2/read")
        x = tf.raw_ops.Gather(params=first, indices=ids, name="g1") + tf.gather(second, ids, name="g2")
        tf.identity(x, name="output")

    return in_graph(tf, build)


def loop(tf, np):
    def build():
        x = tf.compat.v1.placeholder(tf.float32, [4], name="input")
        array = tf.raw_ops.TensorArrayV3(size=3, dtype=tf.float32, name="array")
        flow = tf.raw_ops.TensorArrayWriteV3(handle=array[0], index=1, value=x * 2, flow_in=array[1])
        read = tf.raw_ops.TensorArrayReadV3(handle=array[0], index=1, flow_in=flow, dtype=tf.float32)
        read.set_shape([4])
        tf.compat.v1.disable_control_flow_v2()
        count, total = tf.compat.v1.while_loop(
            lambda i, t: i < 5, lambda i, t: (i + 1, t + read * 2), [tf.constant(0), x], name="while"
        )
        tf.identity(total + tf.cast(count, tf.float32), name="output")

    return in_graph(tf, build)


def training(tf, np):
    """Much to fold: shapes, arithmetic between constants, and a chain that no output needs."""

    def build():
        x = tf.compat.v1.placeholder(tf.float32, [2, 6, 6, 4], name="input")
        other = tf.compat.v1.placeholder_with_default(tf.constant(1.0), [], name="keep")
        shape = tf.shape(x)
        flat = tf.reshape(x, tf.stack([shape[0], shape[1] * shape[2] * shape[3]]))
        weights = constant(tf, np, [144, 20], "w", 3)
        scaled = tf.sqrt(tf.square(weights) + tf.constant(0.5)) / tf.constant(2.0)
        bias = tf.tile(tf.expand_dims(tf.range(0.0, 10.0, 0.5), 0), [2, 1])
        with tf.control_dependencies([flat]):
            late = tf.identity(tf.constant(3.0, name="late"), name="late/read")
        x = tf.matmul(flat, tf.transpose(tf.transpose(scaled))) + bias * late
        x = tf.concat([x, tf.zeros([2, 4]), tf.fill([2, 2], 1.5)], 1)
        x = tf.slice(x, [0, 1], [2, -1]) * tf.cast(tf.size(flat), tf.float32) * other
        tf.nn.softmax(x * 2, name="unused")
        same = [tf.nn.relu(x, name=f"same{n}") + tf.constant(1.0, name=f"one{n}") for n in range(3)]
        tf.identity(tf.add_n(same) + tf.reduce_sum(weights, [0, 1]), name="output")

    return in_graph(tf, build)


def faked(tf, np):
    def build():
        x = tf.compat.v1.placeholder(tf.float32, [1, 8, 8, 3], name="input")
        x = conv(tf, np, x, [3, 3, 3, 8], "c1")
        x = tf.quantization.fake_quant_with_min_max_vars(tf.nn.relu(x), 0.0, 6.0, name="f1")
        x = tf.nn.max_pool2d(x, 2, 2, "SAME", name="pool")
        x = tf.raw_ops.Add(x=conv(tf, np, x, [1, 1, 8, 8], "c2"), y=constant(tf, np, [8], "b2"), name="sum")
        x = tf.quantization.fake_quant_with_min_max_vars(x, -3.0, 9.0, name="f2")
        x = tf.nn.bias_add(x, constant(tf, np, [8], "b3"))
        tf.identity(tf.raw_ops.Mul(x=x, y=constant(tf, np, [8], "m3")), name="output")

    return in_graph(tf, build)


def squared(tf, np):
    def build():
        x = tf.compat.v1.placeholder(tf.float32, [1, 8], name="input")
        tf.identity(tf.raw_ops.Mul(x=x, y=x, name="square"), name="output")

    return in_graph(tf, build)


def called(tf, np):
    weights = constant(tf, np, [4, 4], "w")

    @tf.function
    def inner(x):
        return tf.nn.relu(tf.matmul(x, weights)) * 2.0

    @tf.function
    def outer(x):
        return tf.identity(inner(x) + 1.0, name="output")

    return outer.get_concrete_function(tf.TensorSpec([1, 4], tf.float32, name="input")).graph.as_graph_def()
