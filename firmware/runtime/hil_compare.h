/* What layers write, compared with digests that the host expects. Outputs of layers are numbered through the model. */
#ifndef HIL_COMPARE_H
#define HIL_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_digest.h"
#include "hil_model.h"

/* As it comes from the host, number by number: every port is little-endian. A digest's first word is expected; 0 stands
 * for an output that is not compared, and 1 for a word that is 0. */
typedef struct {
    hil_digest key;
    uint32_t words[HIL_MAX_LAYERS];
} hil_expected;

/* Outputs of all layers before `layer`. */
uint32_t hil_outputs_before(const hil_model *model, uint32_t layer);

/* Bytes of hil_expected that the model needs; 0 where it has more outputs than fit. */
uint32_t hil_expected_size(const hil_model *model);

/* Whether all compared outputs of a layer are as expected; adds their digests to `sum`. */
bool hil_layer_as_expected(const hil_model *model, uint32_t layer, const hil_expected *expected, hil_digest *sum);

#endif
