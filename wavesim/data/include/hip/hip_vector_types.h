// float4 and its kin: structures with x, y, z, w, aligned as HIP has them, and arithmetic by component.
#pragma once

#ifndef WAVESIM_BOTH
#include "hip_runtime.h"
#else

template <typename T, unsigned int count>
struct HIP_vector_type;

#define WAVESIM_MEMBER __attribute__((host, device, always_inline)) constexpr

template <typename T>
struct HIP_vector_type<T, 1> {
  T x;
  HIP_vector_type() = default;
  WAVESIM_MEMBER HIP_vector_type(T x_) : x(x_) {}
};
template <typename T>
struct alignas(2 * sizeof(T)) HIP_vector_type<T, 2> {
  T x, y;
  HIP_vector_type() = default;
  WAVESIM_MEMBER explicit HIP_vector_type(T all) : x(all), y(all) {}
  WAVESIM_MEMBER HIP_vector_type(T x_, T y_) : x(x_), y(y_) {}
};
template <typename T>
struct HIP_vector_type<T, 3> {
  T x, y, z;
  HIP_vector_type() = default;
  WAVESIM_MEMBER explicit HIP_vector_type(T all) : x(all), y(all), z(all) {}
  WAVESIM_MEMBER HIP_vector_type(T x_, T y_, T z_) : x(x_), y(y_), z(z_) {}
};
template <typename T>
struct alignas(4 * sizeof(T)) HIP_vector_type<T, 4> {
  T x, y, z, w;
  HIP_vector_type() = default;
  WAVESIM_MEMBER explicit HIP_vector_type(T all) : x(all), y(all), z(all), w(all) {}
  WAVESIM_MEMBER HIP_vector_type(T x_, T y_, T z_, T w_) : x(x_), y(y_), z(z_), w(w_) {}
};

#define WAVESIM_OPERATOR(op)                                                                             \
  template <typename T>                                                                                  \
  WAVESIM_MEMBER HIP_vector_type<T, 1> operator op(HIP_vector_type<T, 1> a, HIP_vector_type<T, 1> b) {   \
    return {(T)(a.x op b.x)};                                                                            \
  }                                                                                                      \
  template <typename T>                                                                                  \
  WAVESIM_MEMBER HIP_vector_type<T, 2> operator op(HIP_vector_type<T, 2> a, HIP_vector_type<T, 2> b) {   \
    return {(T)(a.x op b.x), (T)(a.y op b.y)};                                                           \
  }                                                                                                      \
  template <typename T>                                                                                  \
  WAVESIM_MEMBER HIP_vector_type<T, 3> operator op(HIP_vector_type<T, 3> a, HIP_vector_type<T, 3> b) {   \
    return {(T)(a.x op b.x), (T)(a.y op b.y), (T)(a.z op b.z)};                                          \
  }                                                                                                      \
  template <typename T>                                                                                  \
  WAVESIM_MEMBER HIP_vector_type<T, 4> operator op(HIP_vector_type<T, 4> a, HIP_vector_type<T, 4> b) {   \
    return {(T)(a.x op b.x), (T)(a.y op b.y), (T)(a.z op b.z), (T)(a.w op b.w)};                         \
  }                                                                                                      \
  template <typename T, unsigned int n>                                                                  \
  WAVESIM_MEMBER HIP_vector_type<T, n> operator op(HIP_vector_type<T, n> a, decltype(T()) b) {           \
    return a op HIP_vector_type<T, n>(b);                                                                \
  }                                                                                                      \
  template <typename T, unsigned int n>                                                                  \
  WAVESIM_MEMBER HIP_vector_type<T, n> operator op(decltype(T()) a, HIP_vector_type<T, n> b) {           \
    return HIP_vector_type<T, n>(a) op b;                                                                \
  }                                                                                                      \
  template <typename T, unsigned int n>                                                                  \
  WAVESIM_MEMBER HIP_vector_type<T, n> &operator op##=(HIP_vector_type<T, n> &a, HIP_vector_type<T, n> b) { \
    return a = a op b;                                                                                   \
  }                                                                                                      \
  template <typename T, unsigned int n>                                                                  \
  WAVESIM_MEMBER HIP_vector_type<T, n> &operator op##=(HIP_vector_type<T, n> &a, decltype(T()) b) {      \
    return a = a op HIP_vector_type<T, n>(b);                                                            \
  }
WAVESIM_OPERATOR(+)
WAVESIM_OPERATOR(-)
WAVESIM_OPERATOR(*)
WAVESIM_OPERATOR(/)
WAVESIM_OPERATOR(&)
WAVESIM_OPERATOR(|)
WAVESIM_OPERATOR(^)

template <typename T, unsigned int n>
WAVESIM_MEMBER HIP_vector_type<T, n> operator-(HIP_vector_type<T, n> a) {
  return HIP_vector_type<T, n>((T)0) - a;
}

#define WAVESIM_VECTORS(name, type)                                                                   \
  using name##1 = HIP_vector_type<type, 1>;                                                           \
  using name##2 = HIP_vector_type<type, 2>;                                                           \
  using name##3 = HIP_vector_type<type, 3>;                                                           \
  using name##4 = HIP_vector_type<type, 4>;                                                           \
  WAVESIM_BOTH name##1 make_##name##1(type x) { return name##1(x); }                                  \
  WAVESIM_BOTH name##2 make_##name##2(type x, type y) { return name##2(x, y); }                       \
  WAVESIM_BOTH name##3 make_##name##3(type x, type y, type z) { return name##3(x, y, z); }            \
  WAVESIM_BOTH name##4 make_##name##4(type x, type y, type z, type w) { return name##4(x, y, z, w); }
WAVESIM_VECTORS(char, signed char)
WAVESIM_VECTORS(uchar, unsigned char)
WAVESIM_VECTORS(short, short)
WAVESIM_VECTORS(ushort, unsigned short)
WAVESIM_VECTORS(int, int)
WAVESIM_VECTORS(uint, unsigned int)
WAVESIM_VECTORS(long, long)
WAVESIM_VECTORS(ulong, unsigned long)
WAVESIM_VECTORS(longlong, long long)
WAVESIM_VECTORS(ulonglong, unsigned long long)
WAVESIM_VECTORS(float, float)
WAVESIM_VECTORS(double, double)

struct dim3 {
  uint32_t x, y, z;
  WAVESIM_MEMBER dim3(uint32_t x_ = 1, uint32_t y_ = 1, uint32_t z_ = 1) : x(x_), y(y_), z(z_) {}
};

#endif
