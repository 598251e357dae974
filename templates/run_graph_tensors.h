// Tensors for run_graph: generated values, checksums.

#ifndef RUN_GRAPH_TENSORS_H_
#define RUN_GRAPH_TENSORS_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor.pb.h"
#include "tensorflow/core/framework/types.h"

namespace {

using tensorflow::DataType;
using tensorflow::Tensor;

// In one line: TensorFlow's messages have several.
[[noreturn]] void Fail(std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::cerr << "error: " << message << std::endl;
  std::exit(2);
}

long Number(const std::string& text, const std::string& what) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0') Fail(what + ": '" + text + "' is not a number");
  return value;
}

// The parts between commas that stand outside of brackets; none for an empty text.
std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  int depth = 0;
  for (char c : text) {
    depth += (c == '[') - (c == ']');
    if (parts.empty()) parts.push_back("");
    if (c == ',' && depth == 0) {
      parts.push_back("");
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path.c_str(), std::ios::binary);
  if (!file) Fail(path + ": cannot be read");
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// The types that are generated and told about, as NumPy names them; "" for others.
std::string NumpyType(DataType type) {
  switch (type) {
    case tensorflow::DT_FLOAT: return "<f4";
    case tensorflow::DT_DOUBLE: return "<f8";
    case tensorflow::DT_INT8: return "|i1";
    case tensorflow::DT_UINT8: return "|u1";
    case tensorflow::DT_INT16: return "<i2";
    case tensorflow::DT_UINT16: return "<u2";
    case tensorflow::DT_INT32: return "<i4";
    case tensorflow::DT_INT64: return "<i8";
    case tensorflow::DT_BOOL: return "|b1";
    default: return "";
  }
}

char* Bytes(const Tensor& tensor) { return const_cast<char*>(tensor.tensor_data().data()); }

template <typename T>
double Load(const char* bytes, int64_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return static_cast<double>(value);
}

double Element(const Tensor& tensor, int64_t index) {
  const char* bytes = Bytes(tensor);
  switch (tensor.dtype()) {
    case tensorflow::DT_FLOAT: return Load<float>(bytes, index);
    case tensorflow::DT_DOUBLE: return Load<double>(bytes, index);
    case tensorflow::DT_INT8: return Load<int8_t>(bytes, index);
    case tensorflow::DT_INT16: return Load<int16_t>(bytes, index);
    case tensorflow::DT_UINT16: return Load<uint16_t>(bytes, index);
    case tensorflow::DT_INT32: return Load<int32_t>(bytes, index);
    case tensorflow::DT_INT64: return Load<int64_t>(bytes, index);
    default: return Load<uint8_t>(bytes, index);
  }
}

template <typename T>
void Store(char* bytes, int64_t index, double number) {
  const T value = static_cast<T>(number);
  std::memcpy(bytes + index * sizeof(T), &value, sizeof(T));
}

void Generate(Tensor* tensor, uint32_t* state) {
  char* bytes = Bytes(*tensor);
  for (int64_t i = 0; i < tensor->NumElements(); ++i) {
    const uint32_t x = *state = *state * 1664525u + 1013904223u;
    const double real = (x >> 8) / 16777216.0, digit = (x >> 16) % 10;
    switch (tensor->dtype()) {
      case tensorflow::DT_FLOAT: Store<float>(bytes, i, real); break;
      case tensorflow::DT_DOUBLE: Store<double>(bytes, i, real); break;
      case tensorflow::DT_INT16:
      case tensorflow::DT_UINT16: Store<uint16_t>(bytes, i, digit); break;
      case tensorflow::DT_INT32: Store<int32_t>(bytes, i, digit); break;
      case tensorflow::DT_INT64: Store<int64_t>(bytes, i, digit); break;
      default: Store<uint8_t>(bytes, i, tensor->dtype() == tensorflow::DT_BOOL ? x >> 31 : digit);
    }
  }
}

// By way of a proto: the C++ type of a string differs between releases. One value stands for all elements.
Tensor StringTensor(const std::vector<std::string>& values, const tensorflow::TensorShape& shape) {
  tensorflow::TensorProto proto;
  proto.set_dtype(tensorflow::DT_STRING);
  shape.AsProto(proto.mutable_tensor_shape());
  for (int64_t i = 0; i < shape.num_elements(); ++i) proto.add_string_val(values[values.size() == 1 ? 0 : i]);
  Tensor tensor;
  if (!tensor.FromProto(proto)) Fail("a string tensor cannot be made");
  return tensor;
}

std::string LittleEndian(uint32_t value, int bytes) {
  std::string out;
  for (; bytes > 0; --bytes, value >>= 8) out += static_cast<char>(value & 0xff);
  return out;
}

std::string Wav() {
  const int rate = 16000, period = 40, step = 800;
  std::string samples;
  for (int i = 0; i < rate; ++i) {
    const int phase = i % period;
    samples += LittleEndian(static_cast<uint32_t>(step * (std::abs(phase - period / 2) - period / 4)), 2);
  }
  return "RIFF" + LittleEndian(36 + samples.size(), 4) + "WAVEfmt " + LittleEndian(16, 4) +
         LittleEndian(1, 2) + LittleEndian(1, 2) + LittleEndian(rate, 4) + LittleEndian(rate * 2, 4) +
         LittleEndian(2, 2) + LittleEndian(16, 2) + "data" + LittleEndian(samples.size(), 4) + samples;
}

void AddDim(const std::string& name, int64_t size, tensorflow::TensorShape* shape) {
  const int64_t limit = 1 << 28, count = std::max<int64_t>(shape->num_elements(), 1);
  if (size < 0 || size > limit / count) {
    Fail("input '" + name + "': its shape is negative or has more than 2^28 elements");
  }
  shape->AddDim(size);
}

// FNV-1a, 64 bits, of the elements' bytes; of strings, one after the other.
uint64_t Checksum(const Tensor& tensor) {
  uint64_t hash = 14695981039346656037ull;
  const auto add = [&hash](const char* bytes, size_t size) {
    for (size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 1099511628211ull;
  };
  if (tensor.dtype() != tensorflow::DT_STRING) {
    add(Bytes(tensor), tensor.tensor_data().size());
    return hash;
  }
  tensorflow::TensorProto proto;
  tensor.AsProtoField(&proto);
  for (const std::string& value : proto.string_val()) add(value.data(), value.size());
  return hash;
}

}  // namespace

#endif  // RUN_GRAPH_TENSORS_H_
