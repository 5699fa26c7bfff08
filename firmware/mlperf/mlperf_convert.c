/* Between the host's numbers and the model's tensors. */
#include <string.h>

#include "hil_model.h"
#include "mlperf.h"

static double read_float(const uint8_t *at)
{
    float value;
    memcpy(&value, at, sizeof value);
    return (double)value;
}

/* An element of a tensor; memcpy, because nothing says that tensors of a network are aligned. */
static double read_element(const mlperf_tensor *tensor, const uint8_t *bytes, uint32_t index, bool real)
{
    int32_t value = 0;
    int16_t half;
    switch (tensor->type) {
    case MLPERF_INT8: value = (int8_t)bytes[index]; break;
    case MLPERF_UINT8: value = bytes[index]; break;
    case MLPERF_INT16:
        memcpy(&half, bytes + 2U * index, sizeof half);
        value = half;
        break;
    case MLPERF_INT32: memcpy(&value, bytes + 4U * index, sizeof value); break;
    default: return read_float(bytes + 4U * index);
    }
    if (!real || !(tensor->scale > 0.0F)) {
        return (double)value;
    }
    return (double)tensor->scale * ((double)value - (double)tensor->zero_point);
}

/* Half away from zero, as the benchmark's own firmware does. */
static uint8_t quantized(const mlperf_tensor *tensor, double value)
{
    double low = tensor->type == MLPERF_INT8 ? -128.0 : 0.0;
    double scaled = value / (double)tensor->scale;
    double shifted = (scaled < 0.0 ? scaled - 0.5 : scaled + 0.5);
    if (!(shifted > -1e6 && shifted < 1e6)) { /* not a number comes out as the lowest */
        shifted = shifted > 0.0 ? 1e6 : -1e6;
    }
    double whole = (double)((int32_t)shifted + tensor->zero_point);
    whole = whole < low ? low : whole;
    whole = whole > low + 255.0 ? low + 255.0 : whole;
    return (uint8_t)((int32_t)whole & 0xFF);
}

void mlperf_convert_inputs(void)
{
    const uint8_t *from = mlperf_buffer;
    uint8_t *to = mlperf_staged;
    if (mlperf_load == MLPERF_LOAD_TENSOR) {
        return;
    }
    for (uint32_t i = 0; i < hil_models[0]->input_count; i++) {
        const mlperf_tensor *tensor = &mlperf_inputs[i];
        for (uint32_t k = 0; k < tensor->count; k++) {
            if (mlperf_load == MLPERF_LOAD_FLOAT32) {
                *to++ = quantized(tensor, read_float(from));
                from += 4;
            } else {
                *to++ = (uint8_t)(*from++ ^ 0x80U);
            }
        }
    }
}

/* Of the only input and the only output, which have as many elements: the harness sees to that. */
static double mean_squared_error(void)
{
    const uint8_t *output = hil_arena + hil_models[0]->outputs[0].offset;
    double sum = 0.0;
    for (uint32_t i = 0; i < mlperf_outputs[0].count; i++) {
        double given = mlperf_load == MLPERF_LOAD_FLOAT32 ? read_float(mlperf_buffer + 4U * i)
                                                          : read_element(&mlperf_inputs[0], mlperf_staged, i, true);
        double error = read_element(&mlperf_outputs[0], output, i, true) - given;
        sum += error * error;
    }
    return sum / (double)mlperf_outputs[0].count;
}

static void tell_outputs(void)
{
    const hil_model *model = hil_models[0];
    bool first = true;
    for (uint32_t i = 0; i < model->output_count; i++) {
        const mlperf_tensor *tensor = &mlperf_outputs[i];
        bool real = mlperf_tell == MLPERF_TELL_REAL || tensor->type == MLPERF_FLOAT32;
        for (uint32_t k = 0; k < tensor->count; k++) {
            double value = read_element(tensor, hil_arena + model->outputs[i].offset, k, real);
            if (!first) {
                mlperf_put_char(',');
            }
            first = false;
            if (real) {
                mlperf_put_real(value);
            } else {
                mlperf_put_signed((int64_t)value);
            }
        }
    }
}

void mlperf_tell_results(void)
{
    mlperf_put("m-results-[");
    if (mlperf_tell == MLPERF_TELL_ERROR) {
        mlperf_put_real(mean_squared_error());
    } else {
        tell_outputs();
    }
    mlperf_put("]");
    mlperf_end_line();
}
