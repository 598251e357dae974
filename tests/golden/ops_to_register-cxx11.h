// Made by tfcross from templates/ops_to_register-cxx11.h.j2.
// Selective registration in C++11: included by the units that register ops or kernels, and by no other, and
// before all else. A kernel that is not selected is not even instantiated.
//
// The release's own headers come first and see every op and kernel as wanted, as they do in all other units:
// what they define inline is the same everywhere. What differs from unit to unit, below, is internal to each.
#ifndef TFCROSS_OPS_TO_REGISTER_H_
#define TFCROSS_OPS_TO_REGISTER_H_

// Eigen's thread pool has to be asked for before its first header.
#ifndef EIGEN_USE_THREADS
#define EIGEN_USE_THREADS
#endif

#include "tensorflow/core/framework/op.h"

namespace tfcross {

// Each level of the recursion takes one character: class texts are far shorter than the compilers' 512 levels.
constexpr unsigned long long Hash(const char* text, unsigned long long hash = 14695981039346656037ull) {
  return *text == '\0' ? hash : Hash(text + 1, (hash ^ static_cast<unsigned char>(*text)) * 1099511628211ull);
}

constexpr bool Same(const char* a, const char* b) {
  return *a == *b && (*a == '\0' || Same(a + 1, b + 1));
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

constexpr bool Is(const Selected& one, unsigned long long hash, const char* op, const char* kernel) {
  return one.hash == hash && Same(one.op, op) && Same(one.kernel, kernel);
}

// The last entry below \a high whose hash is not greater; \a low, if there is none from there on.
constexpr int Find(const Selected* sorted, int low, int high, unsigned long long hash) {
  return high - low <= 1 ? low
         : sorted[low + (high - low) / 2].hash <= hash ? Find(sorted, low + (high - low) / 2, high, hash)
                                                       : Find(sorted, low, low + (high - low) / 2, hash);
}

template <int size>
constexpr bool Contains(const Selected (&sorted)[size], const char* op, const char* kernel) {
  return Is(sorted[Find(sorted, 0, size, Hash(kernel, Hash(op)))], Hash(kernel, Hash(op)), op, kernel);
}

typedef const ::tensorflow::KernelDef* (*MakeDef)();

// Kernel<OpKernelConstruction>::Make creates the kernel; only here is it named, and so instantiated.
template <bool selected>
struct Registration {
  template <template <class> class Kernel>
  static bool Register(MakeDef, const char*) {
    return false;
  }
};

template <>
struct Registration<true> {
  template <template <class> class Kernel>
  static bool Register(MakeDef make_def, const char* kernel) {
    ::tensorflow::kernel_factory::OpKernelRegistrar registrar(
        make_def(), kernel, &Kernel< ::tensorflow::OpKernelConstruction>::Make);
    (void)registrar;
    return true;
  }
};

}  // namespace tfcross

#undef SHOULD_REGISTER_OP
#undef SHOULD_REGISTER_OP_GRADIENT
#undef SHOULD_REGISTER_OP_KERNEL
#undef REGISTER_KERNEL_BUILDER_UNIQ
#define SHOULD_REGISTER_OP(op) (::tfcross::Contains(::tfcross::kSelectedOps, op, ""))
#define SHOULD_REGISTER_OP_KERNEL(clz) (::tfcross::Contains(::tfcross::kSelectedClasses, "", clz))
#define SHOULD_REGISTER_OP_GRADIENT false

// An op that is given by the name of a variable may be no constant expression: then the class alone decides.
#define TFCROSS_SHOULD_REGISTER(op, op_text, kernel)                               \
  (op_text[0] == '"' ? ::tfcross::Contains(::tfcross::kSelectedKernels, op, kernel) \
                     : ::tfcross::Contains(::tfcross::kSelectedClasses, "", kernel))

// Takes the op out of the builder, which begins with Name(op). The class text is made here and nowhere else.
#define REGISTER_KERNEL_BUILDER_UNIQ(counter, builder, ...) \
  TFCROSS_KERNEL(counter, #__VA_ARGS__, TFCROSS_SPLIT_##builder, __VA_ARGS__)
#define TFCROSS_SPLIT_Name(op) op, #op, ::tensorflow::register_kernel::Name(op)
#define TFCROSS_KERNEL(...) TFCROSS_KERNEL_SPLIT(__VA_ARGS__)

// The class is named in a template of its own, in an unnamed namespace: it may be written in brackets, which no
// template argument may, and two units may give one counter to different classes.
#define TFCROSS_KERNEL_SPLIT(counter, kernel, op, op_text, builder, ...)                                       \
  namespace {                                                                                                  \
  template <class TfcrossConstruction>                                                                         \
  struct TfcrossKernel##counter {                                                                              \
    static ::tensorflow::OpKernel* Make(TfcrossConstruction* construction) {                                   \
      return new __VA_ARGS__(construction);                                                                    \
    }                                                                                                          \
  };                                                                                                           \
  }                                                                                                            \
  static bool const register_kernel_##counter TF_ATTRIBUTE_UNUSED =                                            \
      ::tfcross::Registration<TFCROSS_SHOULD_REGISTER(op, op_text, kernel)>::Register<TfcrossKernel##counter>( \
          []() -> const ::tensorflow::KernelDef* { return builder.Build(); }, kernel);

#endif  // TFCROSS_OPS_TO_REGISTER_H_
