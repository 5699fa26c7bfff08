/* Four float32 sums at a time, each in its own order: what layers with weights share.
 *
 * A product is rounded before it is added, whether that takes two instructions or one: VMLA rounds both, where VFMA would
 * not. Vectors of Armv8.1-M (MVE) are of no use here: they take subnormal numbers for zeros. */
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

/* Weights of a tap in s16-s19, of the next in s20-s23; the operand's in s24, s25 (of another row in s26, s27). */
#define QUAD_F32_ONE_APART(x, w0, w1, w2, w3)                                                                       \
    "vmul.f32 " w0 ", " x ", " w0 "\n\tvmul.f32 " w1 ", " x ", " w1 "\n\t"                                          \
    "vmul.f32 " w2 ", " x ", " w2 "\n\tvmul.f32 " w3 ", " x ", " w3 "\n\t"                                          \
    "vadd.f32 %[a], %[a], " w0 "\n\tvadd.f32 %[b], %[b], " w1 "\n\t"                                                \
    "vadd.f32 %[c], %[c], " w2 "\n\tvadd.f32 %[d], %[d], " w3 "\n\t"
#define QUAD_F32_ONE_CHAINED(x, w0, w1, w2, w3)                                                                     \
    "vmla.f32 %[a], " x ", " w0 "\n\tvmla.f32 %[b], " x ", " w1 "\n\t"                                              \
    "vmla.f32 %[c], " x ", " w2 "\n\tvmla.f32 %[d], " x ", " w3 "\n\t"
#define QUAD_F32_BOTH_APART(x, z, w0, w1, w2, w3)                                                                   \
    "vmul.f32 s28, " x ", " w0 "\n\tvmul.f32 s29, " x ", " w1 "\n\t"                                                \
    "vmul.f32 s30, " x ", " w2 "\n\tvmul.f32 s31, " x ", " w3 "\n\t"                                                \
    "vadd.f32 %[a], %[a], s28\n\tvadd.f32 %[b], %[b], s29\n\t"                                                      \
    "vadd.f32 %[c], %[c], s30\n\tvadd.f32 %[d], %[d], s31\n\t"                                                      \
    "vmul.f32 " w0 ", " z ", " w0 "\n\tvmul.f32 " w1 ", " z ", " w1 "\n\t"                                          \
    "vmul.f32 " w2 ", " z ", " w2 "\n\tvmul.f32 " w3 ", " z ", " w3 "\n\t"                                          \
    "vadd.f32 %[e], %[e], " w0 "\n\tvadd.f32 %[f], %[f], " w1 "\n\t"                                                \
    "vadd.f32 %[g], %[g], " w2 "\n\tvadd.f32 %[h], %[h], " w3 "\n\t"
#define QUAD_F32_BOTH_CHAINED(x, z, w0, w1, w2, w3)                                                                 \
    QUAD_F32_ONE_CHAINED(x, w0, w1, w2, w3)                                                                         \
    "vmla.f32 %[e], " z ", " w0 "\n\tvmla.f32 %[f], " z ", " w1 "\n\t"                                              \
    "vmla.f32 %[g], " z ", " w2 "\n\tvmla.f32 %[h], " z ", " w3 "\n\t"

/* Two taps a turn, and the odd one before them. */
#define QUAD_F32_LOOP_ONE(kind)                                                                                     \
    __asm__ volatile("lsrs %[n], %[n], #1\n\t"                                                                      \
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
                     "3:"                                                                                           \
                     : [a] "+t"(a), [b] "+t"(b), [c] "+t"(c), [d] "+t"(d), [n] "+r"(n), [x] "+r"(x), [w] "+r"(w)    \
                     :                                                                                              \
                     : "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "cc", "memory")
#define QUAD_F32_LOOP_BOTH(kind)                                                                                    \
    __asm__ volatile("lsrs %[n], %[n], #1\n\t"                                                                      \
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
                     "3:"                                                                                           \
                     : [a] "+t"(a), [b] "+t"(b), [c] "+t"(c), [d] "+t"(d), [e] "+t"(e), [f] "+t"(f), [g] "+t"(g),   \
                       [h] "+t"(h), [n] "+r"(n), [x] "+r"(x), [z] "+r"(z), [w] "+r"(w)                              \
                     :                                                                                              \
                     : "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26", "s27", "s28",   \
                       "s29", "s30", "s31", "cc", "memory")

#endif

/* sums[k] += x[i] * w[4 * i + k] for i < n, one i after the other */
HIL_INLINE void quad_f32_dot(float *sums, const float *x, const float *w, int32_t n, int32_t kind)
{
    float a = sums[0], b = sums[1], c = sums[2], d = sums[3];
#if QUAD_F32_ASM
    if (kind == QUAD_F32_CHAINED) {
        QUAD_F32_LOOP_ONE(CHAINED);
    } else {
        QUAD_F32_LOOP_ONE(APART);
    }
#else
    (void)kind;
    for (int32_t i = 0; i < n; ++i) {
        a += hil_rounded(x[i] * w[4 * i]);
        b += hil_rounded(x[i] * w[4 * i + 1]);
        c += hil_rounded(x[i] * w[4 * i + 2]);
        d += hil_rounded(x[i] * w[4 * i + 3]);
    }
#endif
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* The same of two rows: sums[4 + k] += z[i] * w[4 * i + k] besides. */
HIL_INLINE void quad_f32_dots(float *sums, const float *x, const float *z, const float *w, int32_t n, int32_t kind)
{
#if QUAD_F32_ASM
    float a = sums[0], b = sums[1], c = sums[2], d = sums[3], e = sums[4], f = sums[5], g = sums[6], h = sums[7];
    if (kind == QUAD_F32_CHAINED) {
        QUAD_F32_LOOP_BOTH(CHAINED);
    } else {
        QUAD_F32_LOOP_BOTH(APART);
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
    sums[4] = e;
    sums[5] = f;
    sums[6] = g;
    sums[7] = h;
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
