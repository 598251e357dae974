// Made by tfcross from templates/selective_header_hashed.h.j2.
// ops_to_register.h for -DSELECTIVE_REGISTRATION, in C++11. The cost of an answer hardly grows with the number of
// texts. Blanks in texts do not count.
#ifndef OPS_TO_REGISTER
#define OPS_TO_REGISTER

namespace {
namespace tfcross_selected {

typedef unsigned long long Word;

constexpr Word Step(Word hash, char next) {
  return next == ' ' ? hash : (hash ^ static_cast<unsigned char>(next)) * 1099511628211ull;
}

// FNV-1a, four characters a call: compilers limit how deep calls nest.
constexpr Word Hash(const char* x, Word hash = 14695981039346656037ull) {
  return !x[0]   ? hash
         : !x[1] ? Step(hash, x[0])
         : !x[2] ? Step(Step(hash, x[0]), x[1])
         : !x[3] ? Step(Step(Step(hash, x[0]), x[1]), x[2])
                 : Hash(x + 4, Step(Step(Step(Step(hash, x[0]), x[1]), x[2]), x[3]));
}

// Binary search in sorted[low..high).
constexpr bool Find(const Word* sorted, int low, int high, Word hash) {
  return high - low == 1                            ? sorted[low] == hash
         : hash < sorted[low + (high - low) / 2] ? Find(sorted, low, low + (high - low) / 2, hash)
                                                    : Find(sorted, low + (high - low) / 2, high, hash);
}

template <int size>
constexpr bool Contains(const Word (&sorted)[size], const char* text) {
  return Find(sorted, 0, size, Hash(text));
}

// Hashes of 64 bits stand for the texts. The first is none of a text: an array must not be empty.
constexpr Word kOps[] = {
  0,
  3990924672201150015ull,  // "BiasAdd"
  7967750031473053097ull,  // "MatMul"
  12703813552185045161ull,  // "Quoted"
  14158235067856099651ull,  // "AccumulateNV2"
};
constexpr Word kKernelClasses[] = {
  0,
  3291991537047889099ull,  // "MatMulOp<CPUDevice, float, false >"
  7377527722151191040ull,  // "TextOp<\"a\\b\">"
  9665172515695810269ull,  // "BiasOp<CPUDevice, float>"
};

}  // namespace tfcross_selected
}  // namespace

#define SHOULD_REGISTER_OP(op) (::tfcross_selected::Contains(::tfcross_selected::kOps, op))
#define SHOULD_REGISTER_OP_KERNEL(clz) (::tfcross_selected::Contains(::tfcross_selected::kKernelClasses, clz))
#define SHOULD_REGISTER_OP_GRADIENT false
#endif
