// Runs any frozen graph with generated inputs, and tells what comes out.
//
//   run_graph MODEL.pb [--inputs NAME=TYPE[DIMS],...] [--outputs NAME,...] [--feed NAME=FILE]...
//             [--initializer NODE] [--write FOLDER] [--save FOLDER] [--seed N] [--repeat N]
//
// Inputs are the graph's placeholders with 1 for unknown dimensions, outputs the nodes that nothing takes
// from, unless told otherwise. --feed takes a .npy or .strings file, or any other file's bytes for a string.
// --write saves every tensor, inputs too, as FOLDER/NAME.npy with "_" for "/" and ":"; --save the outputs
// only, as FOLDER/0.npy and so on in their order. Strings become .strings.
// --initializer is a node that is run once before, as one that fills lookup tables.
//
// Generated values come from one stream over all elements of all inputs, in the order printed:
// x = (1664525 x + 1013904223) mod 2^32, from the seed (1); a float is (x >> 8) / 2^24, an integer
// (x >> 16) mod 10, a bool x >> 31. A string is a second of a 16 kHz mono WAV (a triangle wave of 40 samples)
// where a DecodeWav node takes it, otherwise empty; it takes nothing from the stream.
//
// Exit status: 0 if the graph ran, 2 if not, with one line that says why.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "run_graph_ends.h"
#include "run_graph_files.h"
#include "run_graph_tensors.h"
#include "tensorflow/core/platform/env.h"
#include "tensorflow/core/public/session.h"

namespace {

typedef std::vector<std::pair<std::string, Tensor>> NamedTensors;

struct Options {
  std::string model, inputs, outputs, initializer, folder, saved;
  std::map<std::string, std::string> feeds;
  uint32_t seed = 1;
  int repeat = 1;
};

void Check(const tensorflow::Status& status, const std::string& what) {
  if (status.ok()) return;
  const std::string text = status.ToString();
  std::string advice;
  if (text.find("No session factory") != std::string::npos) {
    advice = "; link libtensorflow-core.a as a whole (--whole-archive, or -force_load on Apple)";
  } else if (text.find("No OpKernel") != std::string::npos ||
             text.find("not registered") != std::string::npos) {
    advice = "; the library was built for another model: build it with MODEL set to this graph";
  }
  Fail(what + ": " + text + advice);
}

std::pair<std::string, std::string> Assignment(const std::string& text, const std::string& option) {
  const size_t at = text.find('=');
  if (at == std::string::npos || at == 0) Fail(option + ": '" + text + "' is not NAME=VALUE");
  return {text.substr(0, at), text.substr(at + 1)};
}

Tensor NewInput(const GraphDef& graph, const std::string& name, DataType type,
                const tensorflow::TensorShape& shape, uint32_t* state) {
  if (type == tensorflow::DT_STRING) {
    return StringTensor({Consumer(graph, name, "DecodeWav") ? Wav() : ""}, shape);
  }
  if (NumpyType(type).empty()) {
    Fail("input '" + name + "': no values can be made for the type " + tensorflow::DataTypeString(type));
  }
  Tensor tensor(type, shape);
  Generate(&tensor, state);
  return tensor;
}

// TYPE[DIMS], as in float[1,224,224,3]; a scalar is float[].
std::pair<DataType, tensorflow::TensorShape> ParseInput(const std::string& name, const std::string& text) {
  const size_t open = text.find('[');
  DataType type;
  if (open == std::string::npos || text.back() != ']' ||
      !tensorflow::DataTypeFromString(text.substr(0, open), &type)) {
    Fail("--inputs: '" + text + "' is not TYPE[DIMS], such as float[1,8,8,1]");
  }
  tensorflow::TensorShape shape;
  for (const std::string& size : Split(text.substr(open + 1, text.size() - open - 2))) {
    AddDim(name, Number(size, "--inputs"), &shape);
  }
  return {type, shape};
}

NamedTensors MakeInputs(const GraphDef& graph, const Options& options) {
  NamedTensors inputs;
  uint32_t state = options.seed;
  std::map<std::string, std::string> feeds = options.feeds;
  const auto add = [&](const std::string& name, DataType type, const tensorflow::TensorShape& shape) {
    inputs.emplace_back(name, NewInput(graph, name, type, shape, &state));
  };
  for (const std::string& part : Split(options.inputs)) {
    const auto named = Assignment(part, "--inputs");
    if (feeds.count(named.first)) continue;
    const auto input = ParseInput(named.first, named.second);
    add(named.first, input.first, input.second);
  }
  for (const NodeDef& node : graph.node()) {
    if (!options.inputs.empty() || feeds.count(node.name())) continue;
    if (node.op() != "Placeholder" && node.op() != "PlaceholderV2") continue;
    if (!node.attr().count("dtype")) Fail("input '" + node.name() + "': the graph does not tell its type");
    add(node.name(), node.attr().at("dtype").type(), ShapeOf(graph, node));
  }
  for (const auto& feed : feeds) inputs.emplace_back(feed.first, ReadTensor(feed.first, feed.second));
  return inputs;
}

void Write(const std::string& folder, const NamedTensors& tensors) {
  std::set<std::string> written;
  for (const auto& named : tensors) {
    std::string name = named.first;
    for (char& c : name) c = c == '/' || c == ':' ? '_' : c;
    if (!written.insert(name).second) Fail("--write: two tensors would both be written to " + name + ".npy");
    WriteTensor(folder + "/" + name, named.second);
  }
}

std::string ShapeText(const Tensor& tensor) {
  std::string text;
  for (int i = 0; i < tensor.dims(); ++i) text += (i ? "," : "") + std::to_string(tensor.dim_size(i));
  return tensorflow::DataTypeString(tensor.dtype()) + "[" + text + "]";
}

// One line; values that are not finite are counted and left out of the figures.
void Report(const std::string& role, const std::string& name, const Tensor& tensor) {
  std::cout << role << ' ' << name << ' ' << ShapeText(tensor);
  if (!NumpyType(tensor.dtype()).empty() && tensor.NumElements() > 0) {
    double least = std::numeric_limits<double>::infinity(), most = -least, sum = 0;
    int64_t strange = 0;
    for (int64_t i = 0; i < tensor.NumElements(); ++i) {
      const double value = Element(tensor, i);
      if (!std::isfinite(value)) {
        ++strange;
        continue;
      }
      least = std::min(least, value);
      most = std::max(most, value);
      sum += value;
    }
    std::cout << " min " << least << " max " << most << " sum " << sum;
    if (strange > 0) std::cout << " not finite " << strange;
  }
  std::cout << " fnv1a " << std::hex << Checksum(tensor) << std::dec << std::endl;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name.compare(0, 2, "--") != 0 && options.model.empty()) {
      options.model = name;
      continue;
    }
    if (i + 1 == argc) Fail("'" + name + "' is not an option, or its value is missing");
    const std::string value = argv[++i];
    if (name == "--inputs") {
      options.inputs = value;
    } else if (name == "--outputs") {
      options.outputs = value;
    } else if (name == "--initializer") {
      options.initializer = value;
    } else if (name == "--feed") {
      options.feeds.insert(Assignment(value, name));
    } else if (name == "--write") {
      options.folder = value;
    } else if (name == "--save") {
      options.saved = value;
    } else if (name == "--seed") {
      options.seed = static_cast<uint32_t>(Number(value, name));
    } else if (name == "--repeat") {
      options.repeat = std::max(1, static_cast<int>(Number(value, name)));
    } else {
      Fail("unknown option '" + name + "'. Known: --feed, --initializer, --inputs, --outputs, "
           "--repeat, --save, --seed, --write.");
    }
  }
  if (options.model.empty()) Fail("usage: run_graph MODEL.pb [options]; the source's first lines tell them");
  return options;
}

GraphDef ReadGraph(const std::string& path) {
  GraphDef graph;
  const bool text = path.size() > 6 && path.compare(path.size() - 6, 6, ".pbtxt") == 0;
  tensorflow::Env* env = tensorflow::Env::Default();
  Check(text ? ReadTextProto(env, path, &graph) : ReadBinaryProto(env, path, &graph), path);
  return graph;
}

void Run(const Options& options) {
  const GraphDef graph = ReadGraph(options.model);
  const NamedTensors inputs = MakeInputs(graph, options);
  const std::vector<std::string> named = Split(options.outputs);
  const std::vector<std::string> names = named.empty() ? FindOutputs(graph) : named;
  tensorflow::Session* started = nullptr;
  Check(tensorflow::NewSession(tensorflow::SessionOptions(), &started), options.model);
  const std::unique_ptr<tensorflow::Session> session(started);
  Check(session->Create(graph), options.model);
  if (!options.initializer.empty()) {
    Check(session->Run({}, {}, {options.initializer}, nullptr), options.model);
    std::cout << "initializer " << options.initializer << std::endl;
  }
  for (const auto& input : inputs) Report("input", input.first, input.second);
  std::vector<Tensor> outputs;
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < options.repeat; ++run) {
    const auto start = std::chrono::steady_clock::now();
    Check(session->Run(inputs, names, {}, &outputs), options.model);
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  NamedTensors tensors = inputs;
  for (size_t i = 0; i < outputs.size(); ++i) {
    Report("output", names[i], outputs[i]);
    tensors.emplace_back(names[i], outputs[i]);
    if (!options.saved.empty()) WriteTensor(options.saved + "/" + std::to_string(i), outputs[i]);
  }
  if (!options.folder.empty()) Write(options.folder, tensors);
  std::cout << "ran " << graph.node_size() << " nodes, best of " << options.repeat << ": " << best << " ms"
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  Run(ParseOptions(argc, argv));
  return 0;
}
