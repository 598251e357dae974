// Tensors as files for run_graph: .npy for numbers, .strings for strings.
//
// A .strings file has numbers of 8 bytes, least first: the rank, each size, and in front of each string's
// bytes how many they are.

#ifndef RUN_GRAPH_FILES_H_
#define RUN_GRAPH_FILES_H_

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "run_graph_tensors.h"

namespace {

// As NumPy names the type of a .npy file; "" for what has none. Quantized numbers are written as their
// codes, and bfloat16, which NumPy does not know, as two bytes.
std::string StoredType(DataType type) {
  switch (type) {
    case tensorflow::DT_HALF: return "<f2";
    case tensorflow::DT_BFLOAT16: return "|V2";
    case tensorflow::DT_COMPLEX64: return "<c8";
    case tensorflow::DT_COMPLEX128: return "<c16";
    case tensorflow::DT_UINT32: return "<u4";
    case tensorflow::DT_UINT64: return "<u8";
    case tensorflow::DT_QINT8: return "|i1";
    case tensorflow::DT_QUINT8: return "|u1";
    case tensorflow::DT_QINT16: return "<i2";
    case tensorflow::DT_QUINT16: return "<u2";
    case tensorflow::DT_QINT32: return "<i4";
    default: return NumpyType(type);
  }
}

Tensor ReadNpy(const std::string& name, const std::string& path) {
  const std::string file = ReadFile(path);
  const size_t size = file.size() < 10 ? 0 : 10 + (file[8] & 0xff) + 256 * (file[9] & 0xff);
  const std::string header = file.substr(0, size);
  const size_t open = header.find('('), close = header.find(')');
  if (header.compare(0, 7, "\x93NUMPY\x01") != 0 || close == std::string::npos || open > close ||
      header.find("'fortran_order': False") == std::string::npos) {
    Fail(path + ": not a .npy file of version 1 in C order");
  }
  tensorflow::TensorShape shape;
  for (const std::string& dim : Split(header.substr(open + 1, close - open - 1))) {
    if (!dim.empty()) AddDim(name, Number(dim, path), &shape);
  }
  for (int number = tensorflow::DT_FLOAT; number <= tensorflow::DT_UINT64; ++number) {
    const DataType type = static_cast<DataType>(number);
    const std::string numpy = tensorflow::DataTypeIsQuantized(type) ? "" : StoredType(type);
    if (numpy.empty() || header.find("'" + numpy + "'") == std::string::npos) continue;
    Tensor tensor(type, shape);
    if (tensor.tensor_data().size() != file.size() - size) Fail(path + ": its size does not fit its shape");
    std::memcpy(Bytes(tensor), file.data() + size, file.size() - size);
    return tensor;
  }
  Fail(path + ": holds a type that cannot be fed");
}

void WriteNpy(const std::string& path, const Tensor& tensor) {
  std::string shape;
  for (int i = 0; i < tensor.dims(); ++i) shape += std::to_string(tensor.dim_size(i)) + ", ";
  if (tensor.dims() > 1) shape.resize(shape.size() - 2);
  std::string header = "{'descr': '" + StoredType(tensor.dtype()) + "', 'fortran_order': False, ";
  header += "'shape': (" + shape + "), }";
  header += std::string(63 - (header.size() + 10) % 64, ' ') + '\n';
  std::ofstream file(path.c_str(), std::ios::binary);
  file << "\x93NUMPY" << '\x01' << '\0' << LittleEndian(header.size(), 2) << header;
  file.write(Bytes(tensor), tensor.tensor_data().size());
  file.close();
  if (!file) Fail(path + ": cannot be written");
}

uint64_t TakeNumber(const std::string& file, const std::string& path, size_t* at) {
  if (file.size() - *at < 8) Fail(path + ": it ends within a number");
  uint64_t number = 0;
  for (int i = 7; i >= 0; --i) number = number << 8 | static_cast<unsigned char>(file[*at + i]);
  *at += 8;
  return number;
}

Tensor ReadStrings(const std::string& name, const std::string& path) {
  const std::string file = ReadFile(path);
  size_t at = 0;
  tensorflow::TensorShape shape;
  const uint64_t rank = TakeNumber(file, path, &at);
  for (uint64_t i = 0; i < rank; ++i) AddDim(name, TakeNumber(file, path, &at), &shape);
  std::vector<std::string> values;
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    const uint64_t size = TakeNumber(file, path, &at);
    if (size > file.size() - at) Fail(path + ": it ends within a string");
    values.push_back(file.substr(at, size));
    at += size;
  }
  return StringTensor(values, shape);
}

void WriteStrings(const std::string& path, const Tensor& tensor) {
  tensorflow::TensorProto proto;
  tensor.AsProtoField(&proto);
  std::ofstream file(path.c_str(), std::ios::binary);
  file << LittleEndian(tensor.dims(), 8);
  for (int i = 0; i < tensor.dims(); ++i) file << LittleEndian(tensor.dim_size(i), 8);
  for (const std::string& value : proto.string_val()) file << LittleEndian(value.size(), 8) << value;
  file.close();
  if (!file) Fail(path + ": cannot be written");
}

// FILE may also be any other file, whose bytes are the value of a string.
Tensor ReadTensor(const std::string& name, const std::string& path) {
  const std::string ending = path.substr(path.rfind('.') == std::string::npos ? path.size() : path.rfind('.'));
  if (ending == ".npy") return ReadNpy(name, path);
  if (ending == ".strings") return ReadStrings(name, path);
  return StringTensor({ReadFile(path)}, tensorflow::TensorShape());
}

// As `path` with the ending of its type; nothing for resources and variants.
void WriteTensor(const std::string& path, const Tensor& tensor) {
  if (tensor.dtype() == tensorflow::DT_STRING) {
    WriteStrings(path + ".strings", tensor);
  } else if (!StoredType(tensor.dtype()).empty()) {
    WriteNpy(path + ".npy", tensor);
  }
}

}  // namespace

#endif  // RUN_GRAPH_FILES_H_
