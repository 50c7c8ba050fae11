// Bodies of one thread each, in plain C: compiled by clang for the GPU and for the host, and compared. `PORTABLE`
// gives a kernel (or, with -DHOST, a loop over all threads) that puts OUT words for thread t from its three inputs.
typedef unsigned char u8;
typedef signed char i8;
typedef unsigned short u16;
typedef short i16;
typedef unsigned u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;
typedef _Float16 f16;
#define BITS(type, value) __builtin_bit_cast(type, value)
#define FAR __attribute__((noinline))
#ifdef HOST
#define PORTABLE(name, count)                                                                   \
  static void name##_body(u32 t, u32 a, u32 b, u32 c, u32* o);                                   \
  void name(const u32* A, const u32* B, const u32* C, u32* O) {                                  \
    for (u32 t = 0; t < 256; t++) name##_body(t, A[t], B[t], C[t], O + count * t);               \
  }                                                                                              \
  static void name##_body(u32 t, u32 a, u32 b, u32 c, u32* o)
#define DEVICE
#else
#define DEVICE __attribute__((device))
#define PORTABLE(name, count)                                                                   \
  DEVICE static inline void name##_body(u32 t, u32 a, u32 b, u32 c, u32* o);                     \
  extern "C" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(256, 256)))      \
  void name(const u32* A, const u32* B, const u32* C, u32* O) {                                  \
    u32 t = __builtin_amdgcn_workitem_id_x();                                                    \
    name##_body(t, A[t], B[t], C[t], O + count * t);                                             \
  }                                                                                              \
  DEVICE static inline void name##_body(u32 t, u32 a, u32 b, u32 c, u32* o)
#endif

// Bytes and halves of registers, signed and not, in and out: SDWA where the architecture has it.
PORTABLE(bytes, 8) {
  o[0] = ((a & 255) + (b >> 24)) ^ (((a >> 8) & 255) * 3 + (b >> 16)) ^ ((a >> 16) - ((b >> 8) & 255));
  u32 p0 = (u8)((a >> 8) + (b >> 8)), p1 = (u8)((a >> 16) - (b >> 24)), p2 = (u8)((a >> 24) ^ (b & c)), p3 = (u8)(a * 7);
  o[1] = p0 | p1 << 8 | p2 << 16 | p3 << 24;
  u32 q = (u16)((a & 0xffff) + (b >> 16)), r = (u16)((a >> 16) * (c & 0xffff));
  o[2] = q | r << 16;
  i32 s = (i8)(a >> 8), u = (i16)(b >> 16), v = (i8)c, w = (i8)(c >> 24);
  o[3] = (u32)(s + u) ^ (u32)(s - v) << 3;
  o[4] = (u32)(s < u ? s : u) * 5 + (u32)(v > w ? v : w);
  o[5] = (c & 0xffff0000) | (u16)((a & 0xffff) - (b & 0xffff));
  o[6] = (c & 0x0000ffff) | (u32)(u16)((a >> 16) + (b & 255)) << 16;
  o[7] = ((a >> 16) & 255) < ((b >> 8) & 255) ? (a >> 24) << (c & 7) : (b & 0xffff) >> (c & 7);
}

// Half precision in both halves, with signs and magnitudes.
PORTABLE(halves, 6) {
  f16 al = BITS(f16, (u16)a), ah = BITS(f16, (u16)(a >> 16)), bl = BITS(f16, (u16)b), bh = BITS(f16, (u16)(b >> 16));
  f16 x = al + bh, y = ah * bl, z = ah - bh, w = -al + (f16)__builtin_fabsf((float)bh);
  o[0] = BITS(u16, x) | (u32)BITS(u16, y) << 16;
  o[1] = BITS(u16, z) | (u32)BITS(u16, w) << 16;
  o[2] = BITS(u32, (float)ah) ^ BITS(u32, (float)bl + (float)bh);
  f16 m = al < bh ? al : bh, n = ah > bl ? ah : bl;
  o[3] = BITS(u16, m) | (u32)BITS(u16, n) << 16;
  o[4] = (c & 0xffff) | (u32)BITS(u16, (f16)(ah + bh)) << 16;
  o[5] = (c & 0xffff0000) | BITS(u16, (f16)(al * bl));
}

// A table of bytes, halves and doubles on the stack, indexed at run time: scratch memory of every width.
PORTABLE(stack, 8) {
  u8 small[24];
  i16 middle[16];
  double wide[6];
  struct { u32 w[4]; } quads[5];
  volatile u32 step = 1;
  for (u32 i = 0; i < 24; i += step) small[(i * 5 + (a & 7)) % 24] = (u8)(b + i * 11);
  for (u32 i = 0; i < 16; i += step) middle[(i * 3) & 15] = (i16)(c - i * 999);
  for (u32 i = 0; i < 6; i += step) wide[(i * 5) % 6] = (double)(i32)(a >> 8) * (i + 1) - 0.25;
  for (u32 i = 0; i < 5; i += step)
    for (u32 j = 0; j < 4; j += step) quads[(i + (b & 3)) % 5].w[j] = a * (i + 1) + j;
  o[0] = small[a % 24] | small[b % 24] << 8 | small[c % 24] << 16;
  o[1] = (u32)(i32)middle[a & 15] + (u32)(i32)middle[(b >> 4) & 15];
  u64 bits = BITS(u64, wide[c % 6]);
  o[2] = (u32)bits;
  o[3] = (u32)(bits >> 32);
  struct { u32 w[4]; } got;
  __builtin_memcpy(&got, &quads[c % 5], 16);
  o[4] = got.w[0] ^ got.w[3];
  o[5] = got.w[1] + got.w[2];
  quads[t % 5] = quads[(t + 2) % 5];
  o[6] = quads[a % 5].w[b & 3];
  o[7] = small[23] + (u32)middle[15];
}

// Calls with a frame of their own, deep ones too.
DEVICE FAR static u32 mixed(const u32* v, u32 i, u32 depth);
DEVICE FAR static u32 mixed(const u32* v, u32 i, u32 depth) {
  u32 own[6];
  volatile u32 step = 1;
  for (u32 k = 0; k < 6; k += step) own[k] = v[(k + i) % 6] * 3 + depth;
  if (depth == 0) return own[i % 6];
  return mixed(own, i + 1, depth - 1) ^ own[(i + 3) % 6];
}
PORTABLE(frames, 3) {
  u32 v[6] = {a, b, c, a ^ b, b + c, c - a};
  o[0] = mixed(v, a & 3, 2);
  o[1] = mixed(v, b & 3, 0);
  u32 sum = 0;
  for (u32 i = 0; i < (c & 3); i++) sum += mixed(v, i, 1);
  o[2] = sum;
}

// 64-bit integers: products, quotients, shifts by any count, comparisons.
PORTABLE(wide_integers, 10) {
  u64 x = (u64)a << 32 | b, y = (u64)c << 13 | (a & 0x1fff) | 1;
  i64 s = (i64)x, q = (i64)(y ^ x) | 1;
  u64 product = x * y;
  o[0] = (u32)product;
  o[1] = (u32)(product >> 32);
  u64 high = (u64)(((unsigned __int128)x * y) >> 64);
  o[2] = (u32)high ^ (u32)(high >> 32);
  o[3] = (u32)(x / y) ^ (u32)(x % y);
  o[4] = (u32)(s / q) + (u32)(s % q);
  o[5] = (u32)((x << (c & 63)) >> 17) ^ (u32)(s >> (b & 63));
  o[6] = (s < q) | (x < y) << 1 | (x == y) << 2 | (i32)(s != q) << 3;
  o[7] = (u32)__builtin_popcountll(x) + (u32)__builtin_clzll(y) * 100 + (u32)__builtin_ctzll(y << 3) * 10000;
  o[8] = a / (b | 1) + a % (c | 1);
  o[9] = (u32)((i32)a / (i32)(b | 1)) ^ (u32)((i32)a % (i32)(c >> 9 | 1));
}

// Double precision: sums, products, comparisons, conversions both ways.
PORTABLE(doubles, 8) {
  double x = (double)(i32)a * 0x1p-10, y = (double)(i32)b + 0.5, z = (double)c * 0x1p-40;
  double r[3] = {x * y + z, (x - y) * z, x < y ? x : -y};
  for (int i = 0; i < 3; i++) {
    u64 bits = BITS(u64, r[i]);
    o[2 * i] = (u32)bits;
    o[2 * i + 1] = (u32)(bits >> 32);
  }
  o[6] = (u32)(i32)(x * 0x1p-3) ^ BITS(u32, (float)y);
  o[7] = (u32)((u64)(i64)(y * 1000.0) >> 7) + (x < y ? 3 : 5);
}

// Quotients and roots of doubles, as compilers expand them.
PORTABLE(quotients, 4) {
  double x = (double)(i32)a * 0x1p-10, y = (double)(i32)b + 0.5;
  double r[2] = {x / y, __builtin_sqrt(x < 0 ? -x : x)};
  for (int i = 0; i < 2; i++) {
    u64 bits = BITS(u64, r[i]);
    o[2 * i] = (u32)bits;
    o[2 * i + 1] = (u32)(bits >> 32);
  }
}

// Single precision and conversions.
PORTABLE(singles, 8) {
  float x = (float)(i32)a * 0x1p-12f, y = (float)(i32)(b | 1), z = (float)(c >> 8);
  o[0] = BITS(u32, x * y + z);
  o[1] = BITS(u32, x / y);
  o[2] = BITS(u32, __builtin_sqrtf(z));
  o[3] = (u32)(i32)(x * 0x1p-4f) + (u32)z;
  o[4] = BITS(u32, __builtin_fminf(x, y) - __builtin_fmaxf(z, x));
  o[5] = BITS(u32, __builtin_floorf(x) + __builtin_truncf(y * 0.25f) - __builtin_rintf(z * 0.5f));
  o[6] = BITS(u32, __builtin_ldexpf(x, (i32)(c & 15) - 8)) ^ (u32)(x < y) ^ (u32)(y >= z) << 1;
  o[7] = (u32)(i32)(i16)(i32)(x * 0x1p-8f) * 3;
}

// Packed bytes: sums of products, saturation, permutation, the usual integer idioms.
PORTABLE(idioms, 9) {
  i32 dot = (i32)c;
  u32 udot = c, sad = 0, perm = 0;
  for (int i = 0; i < 4; i++) {
    dot += (i32)(i8)(a >> 8 * i) * (i32)(i8)(b >> 8 * i);
    udot += ((a >> 8 * i) & 255) * ((b >> 8 * i) & 255);
    i32 d = (i32)((a >> 8 * i) & 255) - (i32)((b >> 8 * i) & 255);
    sad += (u32)(d < 0 ? -d : d);
    perm |= ((a >> 8 * (3 - i)) & 255) << 8 * i;
  }
  o[0] = (u32)dot;
  o[1] = udot;
  o[2] = sad;
  o[3] = perm;
  o[4] = (a << (c & 31)) | (a >> (-c & 31));
  o[5] = (u32)__builtin_popcount(a) + (u32)__builtin_clz(b | 1) * 64 + (u32)__builtin_ctz(c | 0x80000000) * 4096;
  i32 lo = -1000, hi = 77777, value = (i32)a >> 8;
  o[6] = (u32)(value < lo ? lo : value > hi ? hi : value);
  u32 sum = a + b;
  o[7] = (sum < a ? 0xffffffffu : sum) ^ (a < b ? 0 : a - b);
  o[8] = __builtin_bitreverse32(a) + __builtin_bswap32(b) + ((a >> 3) & 0x1ff) + ((u32)((i32)(c << 9) >> 20));
}
