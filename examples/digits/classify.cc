// Classifies handwritten digits with a frozen graph, through tensorflow::Session.
//
//   classify digits.pb digits.csv [--expected expected.csv]
//
// A line of the CSV is a label and the 64 pixels of an 8x8 image, 0 to 16. Exit status: 0 if the answers
// are right, 1 if they are not, 2 if there are none.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/core/framework/graph.pb.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/platform/env.h"
#include "tensorflow/core/public/session.h"

namespace {

const int kPixels = 64;
const int kClasses = 10;
const float kWhite = 16.0f;
const double kMaxDifference = 1e-5;
const double kMinAccuracy = 0.95;

typedef std::vector<std::vector<float>> Rows;

// In one line: TensorFlow's messages have several.
int Fail(std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::cerr << "error: " << message << std::endl;
  return 2;
}

// False if a line does not hold exactly `columns` numbers, or there is no line.
bool ReadCsv(const std::string& path, size_t columns, Rows* rows) {
  std::ifstream file(path.c_str());
  std::string line;
  while (std::getline(file, line)) {
    std::vector<float> row;
    std::istringstream cells(line);
    float value;
    while (cells >> value) {
      row.push_back(value);
      cells.ignore(1, ',');
    }
    if (row.size() != columns || !cells.eof()) return false;
    rows->push_back(row);
  }
  return !rows->empty();
}

// One batch of all images, [n, 8, 8, 1], pixels from 0 to 1.
tensorflow::Tensor Images(const Rows& rows) {
  tensorflow::TensorShape shape;
  shape.AddDim(rows.size());
  shape.AddDim(8);
  shape.AddDim(8);
  shape.AddDim(1);
  tensorflow::Tensor images(tensorflow::DT_FLOAT, shape);
  auto pixels = images.flat<float>();
  for (size_t row = 0; row < rows.size(); ++row) {
    for (int pixel = 0; pixel < kPixels; ++pixel) {
      pixels(row * kPixels + pixel) = rows[row][1 + pixel] / kWhite;
    }
  }
  return images;
}

tensorflow::Status StartSession(const std::string& path, std::unique_ptr<tensorflow::Session>* session) {
  tensorflow::GraphDef graph;
  tensorflow::Status status = tensorflow::ReadBinaryProto(tensorflow::Env::Default(), path, &graph);
  if (!status.ok()) return status;
  tensorflow::Session* started = nullptr;
  status = tensorflow::NewSession(tensorflow::SessionOptions(), &started);
  if (!status.ok()) return status;
  session->reset(started);
  return started->Create(graph);
}

// What to do about the failures that come from how an app was linked or its library was built.
std::string Advice(const std::string& failure) {
  if (failure.find("No session factory") != std::string::npos) {
    return " The linker dropped TensorFlow's registrations: link libtensorflow-core.a as a whole, with the"
           " flags of the link folder (--whole-archive, or -force_load on Apple).";
  }
  if (failure.find("No OpKernel") != std::string::npos ||
      failure.find("not registered") != std::string::npos) {
    return " The library was built for another model: build it again with MODEL set to this graph.";
  }
  return "";
}

// Prints the first labels and the accuracy, which it returns.
double ReportLabels(const tensorflow::Tensor& labels, const Rows& rows) {
  std::vector<int64_t> answers(rows.size());
  std::memcpy(answers.data(), labels.tensor_data().data(), answers.size() * sizeof(int64_t));
  size_t right = 0;
  std::cout << "labels";
  for (size_t row = 0; row < rows.size(); ++row) {
    if (row < 10) std::cout << ' ' << answers[row];
    if (answers[row] == static_cast<int64_t>(rows[row][0])) ++right;
  }
  const double accuracy = static_cast<double>(right) / rows.size();
  std::cout.precision(3);
  std::cout << "\naccuracy " << std::fixed << accuracy << " (" << right << " of " << rows.size() << ")"
            << std::endl;
  return accuracy;
}

// Prints the largest difference to the expected probabilities, which it returns; not a number stays one.
double ReportDifference(const tensorflow::Tensor& probabilities, const Rows& expected) {
  auto answers = probabilities.flat<float>();
  double largest = 0;
  for (size_t row = 0; row < expected.size(); ++row) {
    for (int digit = 0; digit < kClasses; ++digit) {
      const double difference = std::fabs(answers(row * kClasses + digit) - expected[row][digit]);
      if (!(difference <= largest) && !std::isnan(largest)) largest = difference;
    }
  }
  std::cout.precision(2);
  std::cout << "largest difference to the expected probabilities " << std::scientific << largest << std::endl;
  return largest;
}

int Classify(const std::string& graph, const std::string& images, const std::string& expected_path) {
  Rows rows, expected;
  if (!ReadCsv(images, 1 + kPixels, &rows)) return Fail(images + ": not lines of a label and 64 pixels");
  if (!expected_path.empty() && !ReadCsv(expected_path, kClasses, &expected)) {
    return Fail(expected_path + ": not lines of 10 probabilities");
  }
  if (!expected_path.empty() && expected.size() != rows.size()) {
    return Fail(expected_path + ": has another number of lines than " + images);
  }
  std::unique_ptr<tensorflow::Session> session;
  std::vector<tensorflow::Tensor> outputs;
  tensorflow::Status status = StartSession(graph, &session);
  if (status.ok()) {
    status = session->Run({{"images", Images(rows)}}, {"probabilities", "labels"}, {}, &outputs);
  }
  if (!status.ok()) return Fail(graph + ": " + status.ToString() + Advice(status.ToString()));
  const size_t count = rows.size();
  if (outputs[0].dtype() != tensorflow::DT_FLOAT || outputs[1].dtype() != tensorflow::DT_INT64 ||
      outputs[0].NumElements() != static_cast<int64_t>(count * kClasses) ||
      outputs[1].NumElements() != static_cast<int64_t>(count)) {
    return Fail(graph + ": the outputs are not those of the digits network");
  }
  const bool accurate = ReportLabels(outputs[1], rows) >= kMinAccuracy;
  const bool close = expected.empty() || ReportDifference(outputs[0], expected) <= kMaxDifference;
  return accurate && close ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return Classify(argv[1], argv[2], "");
  if (argc == 5 && std::string(argv[3]) == "--expected") return Classify(argv[1], argv[2], argv[4]);
  return Fail("usage: classify digits.pb digits.csv [--expected expected.csv]");
}
