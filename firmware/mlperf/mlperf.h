/* MLPerf Tiny's serial language (EnergyRunner): see docs/mlperf.md. What the parts of it share. */
#ifndef MLPERF_H
#define MLPERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- the model's tensors: mlperf_model.c, which the harness writes ------------------------------------------------ */

enum { MLPERF_INT8 = 0, MLPERF_UINT8 = 1, MLPERF_INT16 = 2, MLPERF_INT32 = 3, MLPERF_FLOAT32 = 4 };

typedef struct {
    uint8_t type; /* of the model's tensor */
    uint32_t count;
    float scale; /* 0 where the tensor is not quantized */
    int32_t zero_point;
} mlperf_tensor;

/* What the host loads: the tensors' own bytes; uint8 for int8 tensors, each 128 more; or float32, to be quantized here. */
enum { MLPERF_LOAD_TENSOR = 0, MLPERF_LOAD_UINT8 = 1, MLPERF_LOAD_FLOAT32 = 2 };

/* What `results` tells: output values as real numbers or as the tensor's own; or the mean squared error between input and
 * output, by which an autoencoder finds anomalies. */
enum { MLPERF_TELL_REAL = 0, MLPERF_TELL_TENSOR = 1, MLPERF_TELL_ERROR = 2 };

extern const char mlperf_model_id[];
extern const uint8_t mlperf_load;
extern const uint8_t mlperf_tell;
extern const mlperf_tensor mlperf_inputs[];
extern const mlperf_tensor mlperf_outputs[];

/* The bytes that the host loads, all inputs one after the other, and the same as the tensors want them (which is the same
 * memory where nothing is to be converted). */
extern uint8_t mlperf_buffer[];
extern const uint32_t mlperf_buffer_size;
extern uint8_t *const mlperf_staged;

/* --- mlperf_text.c ------------------------------------------------------------------------------------------------ */

/* Bytes go out at each line's end; they wait in a buffer before. */
void mlperf_put(const char *text);
void mlperf_put_char(char c);
void mlperf_put_unsigned(uint64_t value);
void mlperf_put_signed(int64_t value);
void mlperf_put_hex(uint32_t value, uint32_t digits);
void mlperf_put_real(double value); /* six decimals, and a power of ten where those would not do */
void mlperf_end_line(void);

/* "PREFIX-VALUE" and the line's end. */
void mlperf_say(const char *prefix, uint64_t value);

/* "e-[TEXT]" and the line's end. */
void mlperf_error(const char *text);

/* As much of a text from the host as can be shown: what is not plain ASCII comes out as a question mark. */
void mlperf_put_shown(const char *text);

/* A decimal number of digits alone, at most `most`. */
bool mlperf_number(const char *text, uint32_t most, uint32_t *value);

/* --- mlperf_serve.c ----------------------------------------------------------------------------------------------- */

#define MLPERF_WORDS 4U

/* The next command's words, of which those not given are empty; too many words or characters make it NULL. */
char *const *mlperf_next_command(void);
void mlperf_ready(void);

/* --- mlperf_buffer.c ---------------------------------------------------------------------------------------------- */

void mlperf_do_db(char *const *words);
void mlperf_forget_buffer(void);
bool mlperf_buffer_full(void);

/* --- mlperf_infer.c ----------------------------------------------------------------------------------------------- */

/* Once, at start. */
void mlperf_start_clock(void);
/* Sets the model and its variables to their beginning. */
void mlperf_setup(void);
void mlperf_timestamp(void);
void mlperf_do_infer(char *const *words);
void mlperf_do_results(void);

/* --- mlperf_convert.c --------------------------------------------------------------------------------------------- */

/* From mlperf_buffer to mlperf_staged. */
void mlperf_convert_inputs(void);

/* Prints m-results-[...]. */
void mlperf_tell_results(void);

#endif
