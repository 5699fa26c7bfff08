#include "fully_connected_f32_mve.h"

#include "tile_f32_mve.h"

HIL_SHARED void fully_connected_f32_mve(const float *input, const float *weights, const float *bias, float *output, float low,
                                        float high, const fully_connected_f32_mve_shape *s)
{
    int32_t rows;
    for (int32_t row = 0; row < s->rows; row += rows) {
        quad_f32_mve_tile tile = {input, weights, bias, output, low, high, 1, 1, s->depth, 4 * s->depth, 4 * s->outputs,
                                  0, 0, 0, 0, 16 * s->depth, s->outputs};
        rows = row + 4 <= s->rows ? 4 : 1;
        tile_f32_mve(&tile, rows);
        input += rows * s->depth;
        output += rows * s->outputs;
    }
}
