/*
 * NAME.bin, a relocatable model: see docs/relocatable.md. All numbers are little-endian, offsets count from the file's
 * first byte. Header, code and constants, then descriptors, in this order and without gaps but padding by zeros.
 */
#ifndef TINYHIL_RELOCATABLE_FORMAT_H
#define TINYHIL_RELOCATABLE_FORMAT_H

#include <stdint.h>

#define TINYHIL_RELOC_MAGIC 0x4D524854U         /* "THRM" */
#define TINYHIL_RELOC_WEIGHTS_MAGIC 0x57524854U /* "THRW" */
#define TINYHIL_RELOC_ABI_MAGIC 0x41524854U     /* "THRA" */
#define TINYHIL_RELOC_FORMAT 1U
#define TINYHIL_RELOC_ABI 1U

#define TINYHIL_RELOC_HEADER_BYTES 272U
#define TINYHIL_RELOC_WEIGHTS_HEADER_BYTES 48U
#define TINYHIL_RELOC_TENSOR_BYTES 80U
#define TINYHIL_RELOC_LAYER_BYTES 2U
#define TINYHIL_RELOC_REGION_BYTES 8U

#define TINYHIL_RELOC_RANK_MAX 8U
#define TINYHIL_RELOC_CONTEXT_MAX 32U
#define TINYHIL_RELOC_TENSORS_MAX 256U /* inputs and outputs together */
#define TINYHIL_RELOC_LAYERS_MAX 4096U
#define TINYHIL_RELOC_REGIONS_MAX 16384U /* outputs of all layers */
#define TINYHIL_RELOC_ALIGN_MAX 256U     /* of addresses: powers of two from 4 */
#define TINYHIL_RELOC_BYTES_MAX 0x10000000U

/* Flags. */
#define TINYHIL_RELOC_WEIGHTS_APART 1U
#define TINYHIL_RELOC_FLAGS 1U /* all that there are */

/* Cores: the part number in CPUID. */
#define TINYHIL_RELOC_CORTEX_M0PLUS 0xC60U
#define TINYHIL_RELOC_CORTEX_M3 0xC23U
#define TINYHIL_RELOC_CORTEX_M4 0xC24U
#define TINYHIL_RELOC_CORTEX_M7 0xC27U
#define TINYHIL_RELOC_CORTEX_M33 0xD21U
#define TINYHIL_RELOC_CORTEX_M55 0xD22U

/* Features that the code needs; the last is how it passes floats. */
#define TINYHIL_RELOC_DSP 1U
#define TINYHIL_RELOC_FPU_SINGLE 2U
#define TINYHIL_RELOC_FPU_DOUBLE 4U
#define TINYHIL_RELOC_MVE_INTEGER 8U
#define TINYHIL_RELOC_MVE_FLOAT 16U
#define TINYHIL_RELOC_HARD_FLOAT_ABI 32U
#define TINYHIL_RELOC_FEATURES 63U /* all that there are */

/* Element types of inputs and outputs. */
#define TINYHIL_RELOC_INT8 1U
#define TINYHIL_RELOC_UINT8 2U
#define TINYHIL_RELOC_INT16 3U
#define TINYHIL_RELOC_INT32 4U
#define TINYHIL_RELOC_UINT32 5U
#define TINYHIL_RELOC_INT64 6U
#define TINYHIL_RELOC_UINT64 7U
#define TINYHIL_RELOC_BOOL 8U
#define TINYHIL_RELOC_FLOAT32 9U

/* Flags of an input or output. */
#define TINYHIL_RELOC_QUANTIZED 1U   /* scale and zero point are set */
#define TINYHIL_RELOC_PER_CHANNEL 2U /* the scale is that of the first channel */

typedef struct {
    uint32_t magic;
    uint16_t format;
    uint16_t header_bytes;
    uint32_t total_bytes; /* of this file */
    uint16_t abi;
    uint16_t flags;
    uint16_t core;
    uint16_t features;
    uint16_t align;         /* of the file's address */
    uint16_t weights_align; /* of the weights' address; 0: none apart */
    uint32_t code_offset;   /* code and constants */
    uint32_t code_bytes;
    uint32_t init_offset; /* entries, without the Thumb bit, within the code */
    uint32_t invoke_offset;
    uint32_t arena_bytes;
    uint32_t arena_align;
    uint32_t context_bytes;
    uint32_t stack_bytes; /* of the deepest call; 0: unknown */
    uint16_t input_count;
    uint16_t output_count;
    uint32_t tensors_offset; /* tinyhil_reloc_tensor[input_count + output_count] */
    uint32_t layer_count;
    uint32_t layers_offset; /* tinyhil_reloc_layer[layer_count] */
    uint32_t region_count;
    uint32_t regions_offset; /* tinyhil_reloc_region[region_count] */
    char name[52];           /* ends with a zero, like every text here */
    char version[20];        /* of tinyhil */
    uint8_t model_sha256[32];
    uint32_t body_crc32; /* of all behind the header */
    uint8_t body_sha256[32];
    uint32_t weights_bytes; /* of NAME_weights.bin; 0: none apart */
    uint32_t weights_crc32;
    uint8_t weights_sha256[32];
    uint8_t reserved[8]; /* zeros */
    uint32_t header_crc32;
} tinyhil_reloc_header;

/* An input or output. */
typedef struct {
    uint8_t type;
    uint8_t rank;
    uint16_t flags;
    uint32_t arena_offset;
    uint32_t bytes;
    float scale;
    int32_t zero_point;
    uint32_t shape[TINYHIL_RELOC_RANK_MAX]; /* `rank` of them, then zeros */
    char name[28];
} tinyhil_reloc_tensor;

/* Bytes of the arena. */
typedef struct {
    uint32_t offset;
    uint32_t bytes;
} tinyhil_reloc_region;

/* Outputs that a layer writes: the regions behind those of the layers before. */
typedef uint16_t tinyhil_reloc_layer;

/* The first bytes of NAME_weights.bin; `weights` points to them. */
typedef struct {
    uint32_t magic;
    uint16_t format;
    uint16_t header_bytes;
    uint32_t total_bytes;
    uint32_t reserved;
    uint8_t body_sha256[32]; /* of the NAME.bin that it belongs to */
} tinyhil_reloc_weights_header;

/* What a firmware that runs such models holds as `const tinyhil_reloc_abi_record tinyhil_reloc_abi`: tinyhil inspect looks for it. */
typedef struct {
    uint32_t magic;
    uint16_t format;
    uint16_t abi;
} tinyhil_reloc_abi_record;

/* Called with phase 0 before, 1 after each layer. */
typedef void (*tinyhil_reloc_observer)(void *user, uint32_t layer, uint32_t phase);

/* The entries. Both return 0, or NAME_status. `weights` is NULL unless they are apart. */
typedef int32_t (*tinyhil_reloc_init_entry)(void *context, void *arena, uint32_t arena_bytes, const uint8_t *weights);
typedef int32_t (*tinyhil_reloc_invoke_entry)(void *context, tinyhil_reloc_observer observer, void *user);

#ifndef __cplusplus
_Static_assert(sizeof(tinyhil_reloc_header) == TINYHIL_RELOC_HEADER_BYTES, "the header has padding");
_Static_assert(sizeof(tinyhil_reloc_tensor) == TINYHIL_RELOC_TENSOR_BYTES, "a tensor has padding");
_Static_assert(sizeof(tinyhil_reloc_region) == TINYHIL_RELOC_REGION_BYTES, "a region has padding");
_Static_assert(sizeof(tinyhil_reloc_layer) == TINYHIL_RELOC_LAYER_BYTES, "a layer has padding");
_Static_assert(sizeof(tinyhil_reloc_weights_header) == TINYHIL_RELOC_WEIGHTS_HEADER_BYTES, "the weights' header has padding");
#endif

#endif
