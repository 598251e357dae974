// Laid over the release's op_kernel.h: what is left of a kernel's registration is its marker.
// Only the innermost macros are replaced, so every expansion above them, and with it the class text,
// is the release's own.
#undef REGISTER_KERNEL_BUILDER_UNIQ
#define REGISTER_KERNEL_BUILDER_UNIQ(counter, builder, ...) tfcross_kernel(false, #__VA_ARGS__, builder)
#undef REGISTER_SYSTEM_KERNEL_BUILDER_UNIQ
#define REGISTER_SYSTEM_KERNEL_BUILDER_UNIQ(counter, builder, ...) tfcross_kernel(true, #__VA_ARGS__, builder)
