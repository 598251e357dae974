// Laid over the release's op_kernel.h: what is left of a kernel's registration is its marker.
// Only the innermost macro is replaced, so every expansion above it, and with it the class text,
// is the release's own.
#undef REGISTER_KERNEL_BUILDER_IMPL_3
#define REGISTER_KERNEL_BUILDER_IMPL_3(counter, op, builder, is_system, ...) \
  tfcross_kernel(is_system, #__VA_ARGS__, builder)
