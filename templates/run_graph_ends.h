// A graph's ends for run_graph: the shapes of its placeholders, and its outputs.

#ifndef RUN_GRAPH_ENDS_H_
#define RUN_GRAPH_ENDS_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "run_graph_tensors.h"
#include "tensorflow/core/framework/graph.pb.h"

namespace {

using tensorflow::GraphDef;
using tensorflow::NodeDef;

std::string Node(const std::string& tensor) {
  const size_t start = tensor[0] == '^' ? 1 : 0;
  return tensor.substr(start, tensor.find(':') - start);
}

const NodeDef* Find(const GraphDef& graph, const std::string& name) {
  for (const NodeDef& node : graph.node()) {
    if (node.name() == name) return &node;
  }
  return nullptr;
}

// The first node with that op that takes the tensor as its first input; null if there is none.
const NodeDef* Consumer(const GraphDef& graph, const std::string& name, const std::string& op) {
  for (const NodeDef& node : graph.node()) {
    if (node.op() == op && node.input_size() > 0 && Node(node.input(0)) == name) return &node;
  }
  return nullptr;
}

// For a placeholder without a shape: [1, rows] where a MatMul with constant weights takes it.
bool ShapeFromMatMul(const GraphDef& graph, const std::string& name, tensorflow::TensorShape* shape) {
  const NodeDef* product = Consumer(graph, name, "MatMul");
  if (!product || product->input_size() < 2) return false;
  const NodeDef* weights = Find(graph, Node(product->input(1)));
  while (weights && weights->op() == "Identity") weights = Find(graph, Node(weights->input(0)));
  if (!weights || weights->op() != "Const" || !weights->attr().count("value")) return false;
  const auto& dims = weights->attr().at("value").tensor().tensor_shape();
  if (dims.dim_size() != 2) return false;
  const auto transposed = product->attr().find("transpose_b");
  const int rows = transposed != product->attr().end() && transposed->second.b() ? 1 : 0;
  AddDim(name, 1, shape);
  AddDim(name, dims.dim(rows).size(), shape);
  return true;
}

tensorflow::TensorShape ShapeOf(const GraphDef& graph, const NodeDef& node) {
  tensorflow::TensorShape shape;
  const auto attr = node.attr().find("shape");
  const bool told = attr != node.attr().end() && !attr->second.shape().unknown_rank();
  const int rank = told ? attr->second.shape().dim_size() : 0;
  for (int i = 0; i < rank; ++i) {
    const int64_t size = attr->second.shape().dim(i).size();
    AddDim(node.name(), size < 0 ? 1 : size, &shape);
  }
  // Up to version 21 a scalar's shape could also mean an unknown one.
  if (rank > 0 || (told && graph.versions().producer() > 21)) return shape;
  if (ShapeFromMatMul(graph, node.name(), &shape)) return shape;
  if (!told && node.attr().at("dtype").type() != tensorflow::DT_STRING) {
    Fail("input '" + node.name() + "': the graph does not tell its shape; pass --inputs NAME=TYPE[DIMS]");
  }
  return shape;
}

// The nodes that nothing takes from, but for ops that only end a graph.
std::vector<std::string> FindOutputs(const GraphDef& graph) {
  const std::set<std::string> ends = {
      "NoOp", "Assert", "Const", "PrintV2", "Assign", "AssignVariableOp", "SaveV2", "Save", "RestoreV2",
      "Placeholder", "PlaceholderV2", "PlaceholderWithDefault"};
  std::set<std::string> consumed;
  for (const NodeDef& node : graph.node()) {
    for (const std::string& input : node.input()) {
      if (!ends.count(node.op())) consumed.insert(Node(input));
    }
  }
  std::vector<std::string> outputs;
  for (const NodeDef& node : graph.node()) {
    if (!consumed.count(node.name()) && !ends.count(node.op())) outputs.push_back(node.name());
  }
  if (outputs.empty()) Fail("the graph has no node that looks like an output; pass --outputs NAME");
  return outputs;
}

}  // namespace

#endif  // RUN_GRAPH_ENDS_H_
