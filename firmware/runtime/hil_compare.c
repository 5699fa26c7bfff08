#include "hil_compare.h"

uint32_t hil_outputs_before(const hil_model *model, uint32_t layer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < layer; i++) {
        count += model->layers[i].output_count;
    }
    return count;
}

uint32_t hil_expected_size(const hil_model *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->layer_count; i++) {
        uint32_t more = model->layers[i].output_count;
        if (more > HIL_MAX_LAYERS - count) {
            return 0;
        }
        count += more;
    }
    return (uint32_t)sizeof(hil_digest) + count * (uint32_t)sizeof(uint32_t);
}

bool hil_layer_as_expected(const hil_model *model, uint32_t layer, const hil_expected *expected, hil_digest *sum)
{
    bool same = true;
    uint32_t number = hil_outputs_before(model, layer);
    for (uint32_t i = 0; i < model->layers[layer].output_count; i++, number++) {
        const hil_tensor *output = &model->layers[layer].outputs[i];
        if (expected->words[number] == 0U) {
            continue;
        }
        hil_digest digest = hil_digest_of(&expected->key, number, hil_arena + output->offset, output->size);
        hil_digest_add(sum, &digest);
        if ((digest.word[0] == 0U ? 1U : digest.word[0]) != expected->words[number]) {
            same = false;
        }
    }
    return same;
}
