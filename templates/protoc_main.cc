// protoc with the C++ generator only: all that a build of TensorFlow's core asks of it.
#include "google/protobuf/compiler/command_line_interface.h"
#include "google/protobuf/compiler/cpp/cpp_generator.h"

int main(int argc, char* argv[]) {
  google::protobuf::compiler::CommandLineInterface command_line;
  google::protobuf::compiler::cpp::CppGenerator generator;
  command_line.RegisterGenerator("--cpp_out", &generator, "Generate C++ header and source.");
  return command_line.Run(argc, argv);
}
