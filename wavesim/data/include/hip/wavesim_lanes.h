// Work-items of one wave: who they are, what others hold, and bits.
#pragma once

WAVESIM_DEVICE unsigned int __lane_id() {
  return __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u));
}

WAVESIM_DEVICE unsigned long long __ballot(int predicate) {
  return __builtin_amdgcn_ballot_w64(predicate != 0);
}
WAVESIM_DEVICE unsigned long long __activemask() { return __ballot(1); }
WAVESIM_DEVICE int __any(int predicate) { return __ballot(predicate) != 0; }
WAVESIM_DEVICE int __all(int predicate) { return __ballot(predicate) == __activemask(); }
WAVESIM_DEVICE unsigned long long __ballot_sync(unsigned long long, int predicate) {
  return __ballot(predicate);
}
WAVESIM_DEVICE int __any_sync(unsigned long long, int predicate) { return __any(predicate); }
WAVESIM_DEVICE int __all_sync(unsigned long long, int predicate) { return __all(predicate); }

// A value of any type of whole dwords, or of less than one, from another lane.
template <typename T>
WAVESIM_DEVICE T wavesim_from_lane(T value, int lane) {
  constexpr unsigned int count = (sizeof(T) + 3) / 4;
  int parts[count] = {};
  __builtin_memcpy(parts, &value, sizeof(T));
#pragma unroll
  for (unsigned int part = 0; part < count; part++)
    parts[part] = __builtin_amdgcn_ds_bpermute(lane << 2, parts[part]);
  __builtin_memcpy(&value, parts, sizeof(T));
  return value;
}

// The lanes of a wave in groups of `width`, a power of two; beyond its group a lane keeps its own value.
template <typename T>
WAVESIM_DEVICE T __shfl(T value, int from, int width = warpSize) {
  int self = (int)__lane_id();
  return wavesim_from_lane(value, (from & (width - 1)) + (self & ~(width - 1)));
}
template <typename T>
WAVESIM_DEVICE T __shfl_up(T value, unsigned int by, int width = warpSize) {
  int self = (int)__lane_id(), other = self - (int)by;
  return wavesim_from_lane(value, other < (self & ~(width - 1)) ? self : other);
}
template <typename T>
WAVESIM_DEVICE T __shfl_down(T value, unsigned int by, int width = warpSize) {
  int self = (int)__lane_id(), other = self + (int)by;
  return wavesim_from_lane(value, (self & (width - 1)) + (int)by >= width ? self : other);
}
template <typename T>
WAVESIM_DEVICE T __shfl_xor(T value, int mask, int width = warpSize) {
  int self = (int)__lane_id(), other = self ^ mask;
  return wavesim_from_lane(value, other >= ((self + width) & ~(width - 1)) ? self : other);
}
template <typename T>
WAVESIM_DEVICE T __shfl_sync(unsigned long long, T value, int from, int width = warpSize) {
  return __shfl(value, from, width);
}
template <typename T>
WAVESIM_DEVICE T __shfl_up_sync(unsigned long long, T value, unsigned int by, int width = warpSize) {
  return __shfl_up(value, by, width);
}
template <typename T>
WAVESIM_DEVICE T __shfl_down_sync(unsigned long long, T value, unsigned int by, int width = warpSize) {
  return __shfl_down(value, by, width);
}
template <typename T>
WAVESIM_DEVICE T __shfl_xor_sync(unsigned long long, T value, int mask, int width = warpSize) {
  return __shfl_xor(value, mask, width);
}

WAVESIM_DEVICE int __popc(unsigned int value) { return __builtin_popcount(value); }
WAVESIM_DEVICE int __popcll(unsigned long long value) { return __builtin_popcountll(value); }
WAVESIM_DEVICE int __clz(int value) { return value ? __builtin_clz((unsigned int)value) : 32; }
WAVESIM_DEVICE int __clzll(long long value) {
  return value ? __builtin_clzll((unsigned long long)value) : 64;
}
WAVESIM_DEVICE int __ffs(int value) { return __builtin_ffs(value); }
WAVESIM_DEVICE int __ffsll(long long value) { return __builtin_ffsll(value); }
WAVESIM_DEVICE unsigned int __brev(unsigned int value) { return __builtin_bitreverse32(value); }
WAVESIM_DEVICE unsigned long long __brevll(unsigned long long value) { return __builtin_bitreverse64(value); }
WAVESIM_DEVICE int __mul24(int left, int right) { return (left << 8 >> 8) * (right << 8 >> 8); }
WAVESIM_DEVICE int __mulhi(int left, int right) { return (int)((long long)left * right >> 32); }
WAVESIM_DEVICE unsigned int __umulhi(unsigned int left, unsigned int right) {
  return (unsigned int)((unsigned long long)left * right >> 32);
}

#define WAVESIM_AS(name, to, from) \
  WAVESIM_DEVICE to name(from value) { return __builtin_bit_cast(to, value); }
WAVESIM_AS(__float_as_int, int, float)
WAVESIM_AS(__float_as_uint, unsigned int, float)
WAVESIM_AS(__int_as_float, float, int)
WAVESIM_AS(__uint_as_float, float, unsigned int)
WAVESIM_AS(__double_as_longlong, long long, double)
WAVESIM_AS(__longlong_as_double, double, long long)
