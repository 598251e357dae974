// Made by tfcross from templates/ops_to_register.h.j2.
// Selective registration: included after the release's own registration macros by the units that register ops
// or kernels, and by no other. A kernel that is not selected is not even instantiated.
#ifndef TFCROSS_OPS_TO_REGISTER_H_
#define TFCROSS_OPS_TO_REGISTER_H_

#include <type_traits>

#include "tensorflow/core/framework/op.h"

namespace tfcross {

constexpr unsigned long long Hash(const char* text, unsigned long long hash = 14695981039346656037ull) {
  while (*text != '\0') {
    hash = (hash ^ static_cast<unsigned char>(*text++)) * 1099511628211ull;
  }
  return hash;
}

constexpr bool Same(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) {
    ++a;
    ++b;
  }
  return *a == *b;
}

struct Selected {
  unsigned long long hash;
  const char* op;
  const char* kernel;
};

// Sorted by hash. The first entry is no op: an array must not be empty.
constexpr Selected kSelectedOps[] = {
    {0, "", ""},
    {12703813552185045161ull, "Quoted", ""},
    {16135115008738069038ull, "Cast", ""},
    {17991567260590197172ull, "Add", ""},
};
constexpr Selected kSelectedKernels[] = {
    {0, "", ""},
    {5053539150046786308ull, "Quoted", "TextOp<\"a\\b\">"},
    {6913954791648750978ull, "Add", "BinaryOp<CPUDevice, functor::add<float>>"},
    {14794469500673510346ull, "AddV2", "BinaryOp<CPUDevice, functor::add<float>>"},
};

// The same classes without their ops, for registrations that ask for the class alone (the C interface).
constexpr Selected kSelectedClasses[] = {
    {0, "", ""},
    {5886140786437531779ull, "", "BinaryOp<CPUDevice, functor::add<float>>"},
    {7377527722151191040ull, "", "TextOp<\"a\\b\">"},
};

template <int size>
constexpr bool Contains(const Selected (&sorted)[size], const char* op, const char* kernel) {
  const unsigned long long hash = Hash(kernel, Hash(op));
  int low = 0, high = size;
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    if (sorted[middle].hash <= hash) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return sorted[low].hash == hash && Same(sorted[low].op, op) && Same(sorted[low].kernel, kernel);
}

// Names the kernel class, and makes it only where it is selected: what a generic lambda does is compiled when it
// is called. (Some registrations write the class in brackets, so it cannot be a template argument.)
template <bool selected>
struct Registration {
  template <class MakeDef, class MakeKernel>
  static ::tensorflow::InitOnStartupMarker Register(MakeDef, MakeKernel, const char*) {
    return {};
  }
};

template <>
struct Registration<true> {
  template <class MakeDef, class MakeKernel>
  static ::tensorflow::InitOnStartupMarker Register(MakeDef make_def, MakeKernel make_kernel, const char* kernel) {
    ::tensorflow::kernel_factory::OpKernelRegistrar registrar(
        make_def(), kernel, static_cast<::tensorflow::OpKernel* (*)(::tensorflow::OpKernelConstruction*)>(make_kernel));
    (void)registrar;
    return {};
  }
};

}  // namespace tfcross

#undef SHOULD_REGISTER_OP
#undef SHOULD_REGISTER_OP_GRADIENT
#undef SHOULD_REGISTER_OP_KERNEL
#undef REGISTER_KERNEL_BUILDER_IMPL_3
#define SHOULD_REGISTER_OP(op) ::tfcross::Contains(::tfcross::kSelectedOps, op, "")
#define SHOULD_REGISTER_OP_KERNEL(clz) \
  (::std::integral_constant<bool, ::tfcross::Contains(::tfcross::kSelectedClasses, "", clz)>::value)
#define SHOULD_REGISTER_OP_GRADIENT false
#define REGISTER_KERNEL_BUILDER_IMPL_3(counter, op_name, builder, is_system_kernel, ...)                          \
  static ::tensorflow::InitOnStartupMarker const register_kernel_##counter TF_ATTRIBUTE_UNUSED =                  \
      ::tfcross::Registration<(is_system_kernel) || ::tfcross::Contains(::tfcross::kSelectedKernels, op_name,     \
                                                                        #__VA_ARGS__)>::                          \
          Register([]() -> const ::tensorflow::KernelDef* { return builder.Build(); },                            \
                   [](auto* construction) -> ::tensorflow::OpKernel* { return new __VA_ARGS__(construction); },   \
                   #__VA_ARGS__);

#endif  // TFCROSS_OPS_TO_REGISTER_H_
