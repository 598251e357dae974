// Laid over the release's op.h: an op's registration becomes a marker in front of its builder calls.
#undef REGISTER_OP_UNIQ
#define REGISTER_OP_UNIQ(counter, op) tfcross_op(false, op)
#undef REGISTER_SYSTEM_OP_UNIQ
#define REGISTER_SYSTEM_OP_UNIQ(counter, op) tfcross_op(true, op)
