/* Copies runs of bytes with a border between them, from the first byte to the last: PAD. Offsets and steps in bytes. */
#ifndef HIL_KERNELS_PAD_RUNS_PORTABLE_H
#define HIL_KERNELS_PAD_RUNS_PORTABLE_H

#include <string.h>

#include "nest.h"

typedef struct {
    int32_t bytes;         /* of one run, copied as a whole */
    int32_t out_offset;    /* of the first run */
    int32_t total, value;  /* bytes of the output, and what every byte of the border is */
    hil_nest nest;         /* a: the input, b: the output */
} pad_runs_portable_shape;

HIL_INLINE void pad_runs_portable(const uint8_t *input, uint8_t *output, const pad_runs_portable_shape *s)
{
    int32_t done = 0;
    HIL_NEST_FOR(s->nest) {
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            const int32_t to = HIL_NEST_B(s->out_offset, s->nest) + i * s->nest.b4;
            if (to > done) {
                memset(output + done, s->value & 0xff, (size_t)(to - done));
            }
            memcpy(output + to, HIL_NEST_A(input, s->nest) + i * s->nest.a4, (size_t)s->bytes);
            done = to + s->bytes;
        }
    }
    memset(output + done, s->value & 0xff, (size_t)(s->total - done));
}

#endif
