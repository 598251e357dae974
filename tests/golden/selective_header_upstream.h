// Made by tfcross from templates/selective_header.h.j2.
// ops_to_register.h for -DSELECTIVE_REGISTRATION. Names and expressions are those of the header that TensorFlow's
// own tool prints: projects compare and patch it, so they are its interface.
#ifndef OPS_TO_REGISTER
#define OPS_TO_REGISTER

namespace {
constexpr const char* skip(const char* x) { return (*x) ? (*x == ' ' ? skip(x + 1) : x) : x; }

// Equal but for blanks.
constexpr bool isequal(const char* x, const char* y) {
  return (*skip(x) && *skip(y)) ? (*skip(x) == *skip(y) && isequal(skip(x) + 1, skip(y) + 1))
                                : (!*skip(x) && !*skip(y));
}

template <int N>
struct find_in {
  static constexpr bool f(const char* x, const char* const y[N]) {
    return isequal(x, y[0]) || find_in<N - 1>::f(x, y + 1);
  }
};

template <>
struct find_in<0> {
  static constexpr bool f(const char* x, const char* const y[]) { return false; }
};
}

constexpr const char* kNecessaryOpKernelClasses[] = {
  "BiasOp<CPUDevice, float>",
  "MatMulOp<CPUDevice, float, false >",
  "TextOp<\"a\\b\">",
};
#define SHOULD_REGISTER_OP_KERNEL(clz) (find_in<sizeof(kNecessaryOpKernelClasses) / sizeof(*kNecessaryOpKernelClasses)>::f(clz, kNecessaryOpKernelClasses))

constexpr inline bool ShouldRegisterOp(const char op[]) {
  return false
    || isequal(op, "AccumulateNV2")
    || isequal(op, "BiasAdd")
    || isequal(op, "MatMul")
    || isequal(op, "Quoted")
  ;
}
#define SHOULD_REGISTER_OP(op) ShouldRegisterOp(op)

#define SHOULD_REGISTER_OP_GRADIENT false
#endif
