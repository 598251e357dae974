"""Which kernels models need, and what is generated for them."""
