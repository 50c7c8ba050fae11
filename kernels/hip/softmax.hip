// Softmax of rows of 1024 bf16, a wave to a row, without a header: 32 short waves on a compute unit, each from its
// first instruction to s_endpgm in a few thousand clocks.
//
// A lane has 16 elements. Maximum and sum go across the lanes by DPP, without LDS: within rows of 16 lanes, then
// from row to row; lane 63 has the result, and v_readlane_b32 makes it a scalar.

typedef unsigned u32;
typedef __bf16 b8 __attribute__((ext_vector_type(8)));
#define DEVICE static __attribute__((device, always_inline)) inline
#define GLOBAL __attribute__((address_space(1)))
#define UNROLL _Pragma("unroll")
#define BITS(to, x) __builtin_bit_cast(to, x)

enum { COLUMNS = 1024 };

// the other lane's x, where DPP control has one; else this lane's own
#define OTHER(control, rows) BITS(float, __builtin_amdgcn_update_dpp(BITS(int, x), BITS(int, x), control, rows, 0xf, false))
#define NOTHING(control, rows) BITS(float, __builtin_amdgcn_update_dpp(0, BITS(int, x), control, rows, 0xf, false))
#define SHIFT_1 0x111  // row_shr: from the lane so many below
#define SHIFT_2 0x112
#define SHIFT_4 0x114
#define SHIFT_8 0x118
#define FROM_15 0x142  // row_bcast: from lane 15, or 31, to the next row, or the next two
#define FROM_31 0x143

DEVICE float last_lane(float x) { return BITS(float, __builtin_amdgcn_readlane(BITS(int, x), 63)); }

DEVICE float most_of_wave(float x) {
  x = __builtin_fmaxf(x, OTHER(SHIFT_1, 0xf));
  x = __builtin_fmaxf(x, OTHER(SHIFT_2, 0xf));
  x = __builtin_fmaxf(x, OTHER(SHIFT_4, 0xf));
  x = __builtin_fmaxf(x, OTHER(SHIFT_8, 0xf));
  x = __builtin_fmaxf(x, OTHER(FROM_15, 0xa));
  x = __builtin_fmaxf(x, OTHER(FROM_31, 0xc));
  return last_lane(x);
}

DEVICE float sum_of_wave(float x) {
  x += NOTHING(SHIFT_1, 0xf);
  x += NOTHING(SHIFT_2, 0xf);
  x += NOTHING(SHIFT_4, 0xf);
  x += NOTHING(SHIFT_8, 0xf);
  x += NOTHING(FROM_15, 0xa);
  x += NOTHING(FROM_31, 0xc);
  return last_lane(x);
}

extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(64, 64)))
void softmax(const GLOBAL __bf16 *X, GLOBAL __bf16 *Y) {
  const u32 at = __builtin_amdgcn_workgroup_id_x() * COLUMNS + __builtin_amdgcn_workitem_id_x() * 8;
  const b8 low = *(const GLOBAL b8 *)(X + at), high = *(const GLOBAL b8 *)(X + at + COLUMNS / 2);
  float x[16];
  UNROLL for (int i = 0; i < 8; i++) x[i] = low[i], x[i + 8] = high[i];
  float most = x[0];
  UNROLL for (int i = 1; i < 16; i++) most = __builtin_fmaxf(most, x[i]);
  most = most_of_wave(most) * 1.44269504f;
  float sum = 0;
  UNROLL for (int i = 0; i < 16; i++) {
    x[i] = __builtin_amdgcn_exp2f(x[i] * 1.44269504f - most);
    sum += x[i];
  }
  const float each = __builtin_amdgcn_rcpf(sum_of_wave(sum));
  b8 out[2];
  UNROLL for (int i = 0; i < 16; i++) out[i / 8][i % 8] = (__bf16)(x[i] * each);
  *(GLOBAL b8 *)(Y + at) = out[0];
  *(GLOBAL b8 *)(Y + at + COLUMNS / 2) = out[1];
}
