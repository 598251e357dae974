// Tells what the library says of graphs that a file lists, one path a line: loads each, asks for its node "x"
// (see op_graphs.py), and prints "path<TAB>message" with an empty message for a graph that it runs. A graph
// that ends the process leaves the line "path<TAB>died" behind.

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "tensorflow/core/framework/graph.pb.h"
#include "tensorflow/core/platform/env.h"
#include "tensorflow/core/public/session.h"

namespace {

std::string Said(const std::string& path) {
  tensorflow::GraphDef graph;
  tensorflow::Status status = ReadBinaryProto(tensorflow::Env::Default(), path, &graph);
  if (!status.ok()) return status.ToString();
  std::unique_ptr<tensorflow::Session> session;
  tensorflow::Session* made = nullptr;
  status = tensorflow::NewSession(tensorflow::SessionOptions(), &made);
  session.reset(made);
  if (status.ok()) status = session->Create(graph);
  if (status.ok()) status = session->Run({}, {}, {"x"}, nullptr);
  if (status.ok()) return "";
  std::string text = status.ToString();
  if (text.find("You must feed a value for placeholder") != std::string::npos) return "";
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream names(argv[1]);
  std::string path;
  while (std::getline(names, path)) {
    std::cout << path << "\tdied" << std::endl;
    std::cout << path << '\t' << Said(path) << std::endl;
  }
  return 0;
}
