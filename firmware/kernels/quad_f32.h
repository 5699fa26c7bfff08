/* Four float32 sums at a time, each in its own order: what layers with weights share.
 *
 * A product is rounded before it is added, whether that takes two instructions or one: VMLA rounds both, where VFMA would
 * not. Vectors of Armv8.1-M (MVE) take subnormal numbers for zeros: quad_f32_mve.h says where they are exact. */
#ifndef HIL_KERNELS_QUAD_F32_H
#define HIL_KERNELS_QUAD_F32_H

#include "floats.h"

#if defined(__GNUC__) && defined(__ARM_FP) && defined(__thumb2__)
#define QUAD_F32_ASM 1
#else
#define QUAD_F32_ASM 0
#endif

/* How a product is added: by two instructions, or by one that takes longer on some cores. */
#define QUAD_F32_APART 0
#define QUAD_F32_CHAINED 1

#if QUAD_F32_ASM

/* Sums in s0-s7, weights of a tap in s16-s19 and of the next in s20-s23, what they weigh in s24, s25 (and s26, s27). */
#define QUAD_F32_ONE_APART(x, w0, w1, w2, w3)                                                                       \
    "vmul.f32 " w0 ", " x ", " w0 "\n\tvmul.f32 " w1 ", " x ", " w1 "\n\t"                                          \
    "vmul.f32 " w2 ", " x ", " w2 "\n\tvmul.f32 " w3 ", " x ", " w3 "\n\t"                                          \
    "vadd.f32 s0, s0, " w0 "\n\tvadd.f32 s1, s1, " w1 "\n\tvadd.f32 s2, s2, " w2 "\n\tvadd.f32 s3, s3, " w3 "\n\t"
#define QUAD_F32_ONE_CHAINED(x, w0, w1, w2, w3)                                                                     \
    "vmla.f32 s0, " x ", " w0 "\n\tvmla.f32 s1, " x ", " w1 "\n\t"                                                  \
    "vmla.f32 s2, " x ", " w2 "\n\tvmla.f32 s3, " x ", " w3 "\n\t"
#define QUAD_F32_BOTH_APART(x, z, w0, w1, w2, w3)                                                                   \
    "vmul.f32 s8, " x ", " w0 "\n\tvmul.f32 s9, " x ", " w1 "\n\t"                                                  \
    "vmul.f32 s10, " x ", " w2 "\n\tvmul.f32 s11, " x ", " w3 "\n\t"                                                \
    "vadd.f32 s0, s0, s8\n\tvadd.f32 s1, s1, s9\n\tvadd.f32 s2, s2, s10\n\tvadd.f32 s3, s3, s11\n\t"                \
    "vmul.f32 " w0 ", " z ", " w0 "\n\tvmul.f32 " w1 ", " z ", " w1 "\n\t"                                          \
    "vmul.f32 " w2 ", " z ", " w2 "\n\tvmul.f32 " w3 ", " z ", " w3 "\n\t"                                          \
    "vadd.f32 s4, s4, " w0 "\n\tvadd.f32 s5, s5, " w1 "\n\tvadd.f32 s6, s6, " w2 "\n\tvadd.f32 s7, s7, " w3 "\n\t"
#define QUAD_F32_BOTH_CHAINED(x, z, w0, w1, w2, w3)                                                                 \
    QUAD_F32_ONE_CHAINED(x, w0, w1, w2, w3)                                                                         \
    "vmla.f32 s4, " z ", " w0 "\n\tvmla.f32 s5, " z ", " w1 "\n\t"                                                  \
    "vmla.f32 s6, " z ", " w2 "\n\tvmla.f32 s7, " z ", " w3 "\n\t"

/* The odd tap, then two a turn. */
#define QUAD_F32_LOOP_ONE(kind)                                                                                     \
    __asm__ volatile("vldmia %[sums], {s0-s3}\n\t"                                                                  \
                     "lsrs %[n], %[n], #1\n\t"                                                                      \
                     "bcc 1f\n\t"                                                                                   \
                     "vldmia %[w]!, {s16-s19}\n\t"                                                                  \
                     "vldmia %[x]!, {s24}\n\t" QUAD_F32_ONE_##kind("s24", "s16", "s17", "s18", "s19")               \
                     "1:\n\t"                                                                                       \
                     "cmp %[n], #0\n\t"                                                                             \
                     "beq 3f\n\t"                                                                                   \
                     "2:\n\t"                                                                                       \
                     "vldmia %[w]!, {s16-s23}\n\t"                                                                  \
                     "vldmia %[x]!, {s24-s25}\n\t"                                                                  \
                     "subs %[n], %[n], #1\n\t" QUAD_F32_ONE_##kind("s24", "s16", "s17", "s18", "s19")               \
                         QUAD_F32_ONE_##kind("s25", "s20", "s21", "s22", "s23")                                     \
                     "bne 2b\n\t"                                                                                   \
                     "3:\n\t"                                                                                       \
                     "vstmia %[sums], {s0-s3}"                                                                      \
                     : [n] "+r"(n), [x] "+r"(x), [w] "+r"(w)                                                        \
                     : [sums] "r"(sums)                                                                             \
                     : "s0", "s1", "s2", "s3", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24",       \
                       "s25", "cc", "memory")
#define QUAD_F32_LOOP_BOTH(kind)                                                                                    \
    __asm__ volatile("vldmia %[sums], {s0-s7}\n\t"                                                                  \
                     "lsrs %[n], %[n], #1\n\t"                                                                      \
                     "bcc 1f\n\t"                                                                                   \
                     "vldmia %[w]!, {s16-s19}\n\t"                                                                  \
                     "vldmia %[x]!, {s24}\n\t"                                                                      \
                     "vldmia %[z]!, {s26}\n\t" QUAD_F32_BOTH_##kind("s24", "s26", "s16", "s17", "s18", "s19")       \
                     "1:\n\t"                                                                                       \
                     "cmp %[n], #0\n\t"                                                                             \
                     "beq 3f\n\t"                                                                                   \
                     "2:\n\t"                                                                                       \
                     "vldmia %[w]!, {s16-s23}\n\t"                                                                  \
                     "vldmia %[x]!, {s24-s25}\n\t"                                                                  \
                     "vldmia %[z]!, {s26-s27}\n\t"                                                                  \
                     "subs %[n], %[n], #1\n\t" QUAD_F32_BOTH_##kind("s24", "s26", "s16", "s17", "s18", "s19")       \
                         QUAD_F32_BOTH_##kind("s25", "s27", "s20", "s21", "s22", "s23")                             \
                     "bne 2b\n\t"                                                                                   \
                     "3:\n\t"                                                                                       \
                     "vstmia %[sums], {s0-s7}"                                                                      \
                     : [n] "+r"(n), [x] "+r"(x), [z] "+r"(z), [w] "+r"(w)                                           \
                     : [sums] "r"(sums)                                                                             \
                     : "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s16", "s17",      \
                       "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26", "s27", "cc", "memory")

#endif

HIL_INLINE void quad_f32_clear(float *sums, int32_t n)
{
    for (int32_t i = 0; i < n; i += 4) {
        sums[i] = 0.0f;
        sums[i + 1] = 0.0f;
        sums[i + 2] = 0.0f;
        sums[i + 3] = 0.0f;
    }
}

/* sums[k] += x[i] * w[4 * i + k] for i < n, one i after the other */
HIL_INLINE void quad_f32_dot(float *sums, const float *x, const float *w, int32_t n, int32_t kind)
{
#if QUAD_F32_ASM
    if (kind == QUAD_F32_CHAINED) {
        QUAD_F32_LOOP_ONE(CHAINED);
    } else {
        QUAD_F32_LOOP_ONE(APART);
    }
#else
    float a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    (void)kind;
    for (int32_t i = 0; i < n; ++i) {
        a += hil_rounded(x[i] * w[4 * i]);
        b += hil_rounded(x[i] * w[4 * i + 1]);
        c += hil_rounded(x[i] * w[4 * i + 2]);
        d += hil_rounded(x[i] * w[4 * i + 3]);
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
#endif
}

/* The same of two rows: sums[4 + k] += z[i] * w[4 * i + k] besides. */
HIL_INLINE void quad_f32_dots(float *sums, const float *x, const float *z, const float *w, int32_t n, int32_t kind)
{
#if QUAD_F32_ASM
    if (kind == QUAD_F32_CHAINED) {
        QUAD_F32_LOOP_BOTH(CHAINED);
    } else {
        QUAD_F32_LOOP_BOTH(APART);
    }
#else
    quad_f32_dot(sums, x, w, n, kind);
    quad_f32_dot(sums + 4, z, w, n, kind);
#endif
}

/* Adds the bias, clamps, stores `count` of four. */
HIL_INLINE void quad_f32_store(float *output, const float *sums, const float *bias, int32_t count, float low, float high)
{
    for (int32_t i = 0; i < count; ++i) {
        output[i] = hil_float_clamp(sums[i] + bias[i], low, high);
    }
}

#endif
