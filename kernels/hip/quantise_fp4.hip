// MXFP4 quantisation, without a header: blocks of 32 bf16 along a row become 32 fp4 (e2m1) and one e8m0 scale.
// The scale is the power of two of the block's largest value, divided by 4, the power of two of fp4's largest.
//
// A lane has 8 elements, so 4 lanes share a block: its largest value goes across them by DPP quad_perm, and
// v_cvt_scalef32_pk_fp4_bf16 divides by the scale, rounds, and packs two elements into a byte of its result.

typedef unsigned u32;
typedef __bf16 b2 __attribute__((ext_vector_type(2)));
typedef __bf16 b8 __attribute__((ext_vector_type(8)));
#define DEVICE static __attribute__((device, always_inline)) inline
#define GLOBAL __attribute__((address_space(1)))
#define UNROLL _Pragma("unroll")
#define BITS(to, x) __builtin_bit_cast(to, x)
#define OTHER(control) BITS(float, __builtin_amdgcn_update_dpp(0, BITS(int, x), control, 0xf, 0xf, false))

DEVICE float most_of_four(float x) {
  x = __builtin_fmaxf(x, OTHER(0xb1));   // quad_perm:[1,0,3,2]
  return __builtin_fmaxf(x, OTHER(0x4e));  // quad_perm:[2,3,0,1]
}

extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(256, 256)))
void quantise_fp4(const GLOBAL __bf16 *X, GLOBAL u32 *Q, GLOBAL unsigned char *S) {
  const u32 thread = __builtin_amdgcn_workgroup_id_x() * 256 + __builtin_amdgcn_workitem_id_x();
  const b8 x = *(const GLOBAL b8 *)(X + thread * 8);
  float most = 0;
  UNROLL for (int i = 0; i < 8; i++) most = __builtin_fmaxf(most, __builtin_fabsf((float)x[i]));
  most = most_of_four(most);
  const u32 exponent = BITS(u32, most) >> 23, scale = exponent < 2 ? 0 : exponent - 2;  // e8m0
  const float factor = BITS(float, scale << 23);
  u32 out = 0;
  out = __builtin_amdgcn_cvt_scalef32_pk_fp4_bf16(out, (b2){x[0], x[1]}, factor, 0);
  out = __builtin_amdgcn_cvt_scalef32_pk_fp4_bf16(out, (b2){x[2], x[3]}, factor, 1);
  out = __builtin_amdgcn_cvt_scalef32_pk_fp4_bf16(out, (b2){x[4], x[5]}, factor, 2);
  out = __builtin_amdgcn_cvt_scalef32_pk_fp4_bf16(out, (b2){x[6], x[7]}, factor, 3);
  Q[thread] = out;
  if (thread % 4 == 0) S[thread / 4] = scale;
}
