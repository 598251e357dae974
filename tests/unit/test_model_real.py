"""Real graphs, where the folder with them lies beside the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcross.graph.model import Placeholder, load_model

MODELS = Path(__file__).parents[2].parent / "shared" / "models"

if MODELS.is_dir():

    @pytest.mark.parametrize(
        ("name", "nodes", "placeholders", "outputs", "ops"),
        [
            pytest.param(
                "mnist_beginner.pb",
                7,
                (Placeholder("input", "DT_FLOAT", None),),
                ("output",),
                "Add Const MatMul NoOp Placeholder Softmax",
                id="mnist",
            ),
            pytest.param(
                "mobilenet_v1_0.25_224_frozen.pb",
                555,
                (Placeholder("input", "DT_FLOAT", (1, 224, 224, 3)),),
                ("MobilenetV1/Predictions/Reshape_1",),
                "Add AvgPool BiasAdd Const Conv2D DepthwiseConv2dNative Identity Mul Placeholder Relu6 "
                "Reshape Rsqrt Softmax Squeeze Sub",
                id="mobilenet",
            ),
            pytest.param(
                "conv_actions_frozen.pb",
                33,
                (Placeholder("wav_data", "DT_STRING", None),),
                ("labels_softmax",),
                "Add AudioSpectrogram Const Conv2D DecodeWav Identity MatMul MaxPool Mfcc Placeholder Relu "
                "Reshape Softmax",
                id="speech commands",
            ),
        ],
    )
    def test_real_graphs_are_read(name, nodes, placeholders, outputs, ops):
        model = load_model(MODELS / name)
        assert len(model.nodes) == nodes
        assert model.placeholders == placeholders
        assert model.outputs == outputs
        assert " ".join(model.ops()) == ops
