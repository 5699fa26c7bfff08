/* What every kernel's C code uses: inlined into the layer, or compiled once and shared by all layers and models.
 *
 * A shared function is weak: two models of one firmware may carry the same kernel, and the linker keeps one. */
#ifndef HIL_KERNELS_KERNEL_H
#define HIL_KERNELS_KERNEL_H

#include <stdint.h>

#ifndef TINYHIL_CODE
#define TINYHIL_CODE
#endif

/* a function of one source, whether it is inlined or not */
#define HIL_LOCAL static TINYHIL_CODE

#if defined(__GNUC__)
#define HIL_INLINE static inline __attribute__((always_inline))
#define HIL_NOINLINE TINYHIL_CODE __attribute__((noinline))
#define HIL_SHARED TINYHIL_CODE __attribute__((weak, noinline))
#define HIL_AT_WORD(place) __builtin_assume_aligned(place, 4)
#else
#define HIL_INLINE static inline
#define HIL_NOINLINE TINYHIL_CODE
#define HIL_SHARED TINYHIL_CODE
#define HIL_AT_WORD(place) (place)
#endif

/* The same pointer, of which the compiler knows no more that it is an offset from another one.
 *
 * GCC 12 takes the difference of two pointers into the arena for an index where they walk at different steps, loses sight of
 * what is stored to, and leaves the call of such a layer out (ivopts before pure-const; a MEAN over its own input). */
HIL_INLINE uint8_t *hil_apart(uint8_t *place)
{
#if defined(__GNUC__)
    __asm__("" : "+r"(place));
#endif
    return place;
}

_Static_assert((-3 >> 1) == -2, "right shifts of negative numbers must be arithmetic");

#endif
