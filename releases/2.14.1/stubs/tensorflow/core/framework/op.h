// Laid over the release's op.h: an op's registration becomes a marker in front of its builder calls.
#undef REGISTER_OP_IMPL
#define REGISTER_OP_IMPL(counter, op, is_system) tfcross_op(is_system, op)
