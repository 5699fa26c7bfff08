/* As pad_runs_portable.h, MVE. */
#ifndef HIL_KERNELS_PAD_RUNS_MVE_H
#define HIL_KERNELS_PAD_RUNS_MVE_H

#include "copy_mve.h"
#include "fill_mve.h"
#include "nest.h"

typedef struct {
    int32_t bytes, out_offset, total, value;
    hil_nest nest; /* a: the input, b: the output */
} pad_runs_mve_shape;

HIL_INLINE void pad_runs_mve(const uint8_t *input, uint8_t *output, const pad_runs_mve_shape *s)
{
    int32_t done = 0;
    HIL_NEST_FOR(s->nest) {
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            const int32_t to = HIL_NEST_B(s->out_offset, s->nest) + i * s->nest.b4;
            if (to > done) {
                fill_mve((int8_t *)output + done, s->value, to - done);
            }
            copy_mve(output + to, HIL_NEST_A(input, s->nest) + i * s->nest.a4, s->bytes);
            done = to + s->bytes;
        }
    }
    fill_mve((int8_t *)output + done, s->value, s->total - done);
}

#endif
