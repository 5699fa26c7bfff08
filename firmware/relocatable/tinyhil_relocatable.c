#include "tinyhil_relocatable.h"

#include "tinyhil_hash.h"

#include <string.h>

#define CORTEX_M0 0xC20U /* runs the code of the M0+ */
#define SMALL __attribute__((noinline)) /* called more than once, and small in flash rather than fast */

#if defined(__ARM_FEATURE_DSP)
#define HAS_DSP TINYHIL_RELOC_DSP
#else
#define HAS_DSP 0U
#endif
#if defined(__ARM_FP)
#define HAS_FPU \
    (((__ARM_FP & 4) != 0 ? TINYHIL_RELOC_FPU_SINGLE : 0U) | ((__ARM_FP & 8) != 0 ? TINYHIL_RELOC_FPU_DOUBLE : 0U))
#else
#define HAS_FPU 0U
#endif
#if defined(__ARM_FEATURE_MVE)
#define HAS_MVE \
    (TINYHIL_RELOC_MVE_INTEGER | ((__ARM_FEATURE_MVE & 2) != 0 ? TINYHIL_RELOC_MVE_FLOAT : 0U))
#else
#define HAS_MVE 0U
#endif
#if defined(__ARM_PCS_VFP)
#define HAS_ABI TINYHIL_RELOC_HARD_FLOAT_ABI
#else
#define HAS_ABI 0U
#endif

const tinyhil_reloc_abi_record tinyhil_reloc_abi = {
    TINYHIL_RELOC_ABI_MAGIC, TINYHIL_RELOC_FORMAT, TINYHIL_RELOC_ABI};

void tinyhil_reloc_this_core(tinyhil_reloc_host *host)
{
    memset(host, 0, sizeof *host);
    host->features = HAS_DSP | HAS_FPU | HAS_MVE | HAS_ABI;
#if defined(TINYHIL_RELOC_CORE)
    host->core = TINYHIL_RELOC_CORE;
#elif defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
    const uint32_t part = (*(const volatile uint32_t *)0xE000ED00U >> 4) & 0xFFFU;
    host->core = part == CORTEX_M0 ? TINYHIL_RELOC_CORTEX_M0PLUS : part;
#endif
}

/* Whether `bytes` at `at` lie in the first `size`. */
static SMALL bool within(uint32_t at, uint32_t bytes, uint32_t size)
{
    return at <= size && bytes <= size - at;
}

static bool aligned(const void *address, uint32_t align)
{
    return ((uintptr_t)address & (align - 1U)) == 0U;
}

/* An input or output: its shape and type make its bytes, and these lie in the arena. */
static bool tensor_right(const tinyhil_reloc_tensor *t, uint32_t arena_bytes)
{
    const uint32_t log2_of_size = 0x8FA40U; /* two bits for each type */
    if (t->type < TINYHIL_RELOC_INT8 || t->type > TINYHIL_RELOC_FLOAT32 || t->rank > TINYHIL_RELOC_RANK_MAX) {
        return false;
    }
    const uint32_t size = 1U << ((log2_of_size >> (2U * t->type)) & 3U);
    uint32_t bytes = size;
    for (uint32_t i = 0; i < t->rank; i++) {
        const uint64_t product = (uint64_t)bytes * t->shape[i];
        if (product > t->bytes) {
            return false;
        }
        bytes = (uint32_t)product;
    }
    return bytes == t->bytes && (t->arena_offset & (size - 1U)) == 0U && t->name[sizeof t->name - 1U] == '\0' &&
           within(t->arena_offset, t->bytes, arena_bytes);
}

/* The header: it is one, for this runtime, and the code lies in the file. */
static tinyhil_reloc_status check_header(const tinyhil_reloc_files *files, const tinyhil_reloc_header *h)
{
    if (h == NULL || files->blob_bytes < sizeof *h) {
        return TINYHIL_RELOC_BAD_SIZE;
    }
    if (!aligned(h, 4)) {
        return TINYHIL_RELOC_BAD_ALIGNMENT;
    }
    if (h->magic != TINYHIL_RELOC_MAGIC) {
        return TINYHIL_RELOC_BAD_MAGIC;
    }
    if (h->format != TINYHIL_RELOC_FORMAT || h->header_bytes != sizeof *h) {
        return TINYHIL_RELOC_BAD_VERSION;
    }
    if (h->header_crc32 != tinyhil_crc32(0, files->blob, sizeof *h - 4U)) {
        return TINYHIL_RELOC_BAD_HEADER;
    }
    if (h->abi != TINYHIL_RELOC_ABI) {
        return TINYHIL_RELOC_BAD_ABI;
    }
    if (h->total_bytes > files->blob_bytes || h->total_bytes < sizeof *h) {
        return TINYHIL_RELOC_BAD_SIZE;
    }
    return aligned(h, h->align) ? TINYHIL_RELOC_OK : TINYHIL_RELOC_BAD_ALIGNMENT;
}

/* All offsets of the header, and every entry of the tables. */
static bool bounds_right(const tinyhil_reloc_header *h)
{
    const uint32_t total = h->total_bytes;
    uint32_t tensors = (uint32_t)h->input_count + h->output_count;
    const tinyhil_reloc_tensor *tensor = tinyhil_reloc_tensors(h);
    const tinyhil_reloc_layer *layer = tinyhil_reloc_table(h, h->layers_offset);
    const tinyhil_reloc_region *region = tinyhil_reloc_table(h, h->regions_offset);
    uint32_t unknown = h->flags & ~TINYHIL_RELOC_FLAGS;
    unknown |= (uint8_t)h->name[sizeof h->name - 1U] | (uint8_t)h->version[sizeof h->version - 1U];
    unknown |= (h->init_offset | h->invoke_offset) & 1U;
    unknown |= (h->tensors_offset | h->layers_offset | h->regions_offset) & 3U;
    unknown |= (h->layer_count | h->region_count) >> 16; /* so that sizes of tables are numbers of 32 bits */
    if (unknown != 0U || h->context_bytes > TINYHIL_RELOC_CONTEXT_MAX ||
        !within(h->code_offset, h->code_bytes, total) ||
        !within(h->init_offset - h->code_offset, 2, h->code_bytes) ||
        !within(h->invoke_offset - h->code_offset, 2, h->code_bytes) ||
        !within(h->tensors_offset, tensors * (uint32_t)sizeof *tensor, total) ||
        !within(h->layers_offset, h->layer_count * (uint32_t)sizeof *layer, total) ||
        !within(h->regions_offset, h->region_count * (uint32_t)sizeof *region, total)) {
        return false;
    }
    for (; tensors > 0U; tensors--) {
        if (!tensor_right(tensor++, h->arena_bytes)) {
            return false;
        }
    }
    uint32_t left = h->region_count;
    for (uint32_t count = h->layer_count; count > 0U; count--) {
        left -= *layer++; /* all of them, of 16 bits each, stay below 2^32 */
    }
    for (uint32_t count = h->region_count; count > 0U; count--, region++) {
        if (!within(region->offset, region->bytes, h->arena_bytes)) {
            return false;
        }
    }
    return left == 0U;
}

tinyhil_reloc_status tinyhil_reloc_describe(const tinyhil_reloc_files *files, const tinyhil_reloc_header **header)
{
    const void *blob = files->blob;
    tinyhil_reloc_status status = check_header(files, blob);
    if (status == TINYHIL_RELOC_OK && !bounds_right(blob)) {
        status = TINYHIL_RELOC_BAD_BOUNDS;
    }
    *header = status == TINYHIL_RELOC_OK ? blob : NULL;
    return status;
}

/* Weights are there if they are to be, where and as long as the header wants, and belong to this very file. */
static bool weights_right(const tinyhil_reloc_files *files, const tinyhil_reloc_header *h)
{
    const void *weights = files->weights;
    const tinyhil_reloc_weights_header *w = weights;
    if ((h->flags & TINYHIL_RELOC_WEIGHTS_APART) == 0U) {
        return h->weights_bytes == 0U;
    }
    return w != NULL && aligned(w, h->weights_align | 4U) && h->weights_bytes >= sizeof *w &&
           h->weights_bytes <= files->weights_bytes &&
           memcmp(w->body_sha256, h->body_sha256, sizeof w->body_sha256) == 0;
}

/* CRC-32 and SHA-256 of a part, as far as asked for. */
static tinyhil_reloc_status check_part(
    const uint8_t *bytes, uint32_t size, uint32_t crc, const uint8_t sha256[32], tinyhil_reloc_depth depth)
{
    uint32_t digest[8];
    if (depth == TINYHIL_RELOC_BOUNDS) {
        return TINYHIL_RELOC_OK;
    }
    if (tinyhil_crc32(0, bytes, size) != crc) {
        return TINYHIL_RELOC_BAD_CRC;
    }
    if (depth == TINYHIL_RELOC_CRC) {
        return TINYHIL_RELOC_OK;
    }
    tinyhil_sha256(bytes, size, digest);
    return memcmp(digest, sha256, sizeof digest) == 0 ? TINYHIL_RELOC_OK : TINYHIL_RELOC_BAD_SHA256;
}

tinyhil_reloc_status tinyhil_reloc_check(
    const tinyhil_reloc_host *host, const tinyhil_reloc_files *files, tinyhil_reloc_depth depth)
{
    const tinyhil_reloc_header *h;
    __asm__ volatile("" : : "r"(&tinyhil_reloc_abi)); /* so that the linker keeps it */
    tinyhil_reloc_status status = tinyhil_reloc_describe(files, &h);
    if (status != TINYHIL_RELOC_OK) {
        return status;
    }
    if (h->core != host->core) {
        return TINYHIL_RELOC_BAD_CORE;
    }
    if ((h->features & ~host->features) != 0U) {
        return TINYHIL_RELOC_BAD_FEATURES;
    }
    if (!weights_right(files, h)) {
        return TINYHIL_RELOC_BAD_WEIGHTS;
    }
    status = check_part(
        files->blob + sizeof *h, h->total_bytes - (uint32_t)sizeof *h, h->body_crc32, h->body_sha256, depth);
    if (status == TINYHIL_RELOC_OK && h->weights_bytes != 0U) {
        status = check_part(files->weights, h->weights_bytes, h->weights_crc32, h->weights_sha256, depth);
    }
    return status;
}

/* Cleans and invalidates lines of the data cache, so that flash that was programmed is read anew and RAM that was
 * written reaches the memory, and invalidates the instruction cache. */
static void sync_caches(const tinyhil_reloc_host *host, const uint8_t *start, uint32_t bytes)
{
    if (host->sync != NULL) {
        host->sync(host->user, start, bytes);
        return;
    }
#if defined(__ARM_ARCH_7EM__) || defined(__ARM_ARCH_8_1M_MAIN__)
    volatile uint32_t *const scb = (volatile uint32_t *)0xE000EF00U;
    if (host->core == TINYHIL_RELOC_CORTEX_M7 || host->core == TINYHIL_RELOC_CORTEX_M55) {
        const uintptr_t end = (uintptr_t)start + bytes;
        __asm__ volatile("dsb" ::: "memory");
        for (uintptr_t line = (uintptr_t)start & ~(uintptr_t)31U; line < end; line += 32U) {
            scb[0x70 / 4] = line; /* DCCIMVAC */
        }
        __asm__ volatile("dsb" ::: "memory");
        scb[0x50 / 4] = 0; /* ICIALLU */
        __asm__ volatile("dsb\n\tisb" ::: "memory");
    }
#endif
}

static SMALL bool apart(const void *a, uint32_t a_bytes, const void *b, uint32_t b_bytes)
{
    const uintptr_t first = (uintptr_t)a;
    const uintptr_t second = (uintptr_t)b;
    return first < second ? second - first >= a_bytes : first - second >= b_bytes;
}

tinyhil_reloc_status tinyhil_reloc_install(
    tinyhil_reloc *model, const tinyhil_reloc_host *host, const tinyhil_reloc_files *files, void *arena,
    uint32_t arena_bytes)
{
    tinyhil_reloc_deinit(model);
    sync_caches(host, files->blob, files->blob_bytes);
    sync_caches(host, files->weights, files->weights_bytes);
    const tinyhil_reloc_status status = tinyhil_reloc_check(host, files, TINYHIL_RELOC_SHA256);
    if (status != TINYHIL_RELOC_OK) {
        return status;
    }
    const void *blob = files->blob;
    const tinyhil_reloc_header *h = blob;
    const uint8_t *weights = h->weights_bytes != 0U ? files->weights : NULL;
    const tinyhil_reloc_files exact = {files->blob, h->total_bytes, weights, h->weights_bytes};
    if (arena == NULL || arena_bytes < h->arena_bytes || !aligned(arena, h->arena_align) ||
        !apart(arena, arena_bytes, blob, h->total_bytes) ||
        !apart(arena, arena_bytes, weights, h->weights_bytes)) {
        return TINYHIL_RELOC_BAD_ARENA;
    }
    if (host->verify != NULL && !host->verify(host->user, &exact)) {
        return TINYHIL_RELOC_NOT_VERIFIED;
    }
    model->header = h;
    model->weights = weights;
    model->arena = arena;
    model->arena_bytes = arena_bytes;
    return TINYHIL_RELOC_OK;
}

/* The address to call for an entry: Thumb code. */
static uintptr_t entry(const tinyhil_reloc *model, uint32_t offset)
{
    return ((uintptr_t)model->header + offset) | 1U;
}

int32_t tinyhil_reloc_init(tinyhil_reloc *model)
{
    if (model->header == NULL) {
        return TINYHIL_RELOC_NOT_READY;
    }
    const tinyhil_reloc_init_entry init = (tinyhil_reloc_init_entry)entry(model, model->header->init_offset);
    const int32_t status = init(model->context, model->arena, model->arena_bytes, model->weights);
    model->ready = status == 0;
    return status;
}

int32_t tinyhil_reloc_invoke(tinyhil_reloc *model, tinyhil_reloc_observer observer, void *user)
{
    if (!model->ready) {
        return TINYHIL_RELOC_NOT_READY;
    }
    return ((tinyhil_reloc_invoke_entry)entry(model, model->header->invoke_offset))(model->context, observer, user);
}

static SMALL void *tensor_at(const tinyhil_reloc *model, uint32_t first, uint32_t count, uint32_t index)
{
    const tinyhil_reloc_tensor *tensors = tinyhil_reloc_tensors(model->header);
    return index < count ? model->arena + tensors[first + index].arena_offset : NULL;
}

void *tinyhil_reloc_input(const tinyhil_reloc *model, uint32_t index)
{
    const tinyhil_reloc_header *h = model->header;
    return model->ready ? tensor_at(model, 0, h->input_count, index) : NULL;
}

const void *tinyhil_reloc_output(const tinyhil_reloc *model, uint32_t index)
{
    const tinyhil_reloc_header *h = model->header;
    return model->ready ? tensor_at(model, h->input_count, h->output_count, index) : NULL;
}

void tinyhil_reloc_deinit(tinyhil_reloc *model)
{
    memset(model, 0, sizeof *model);
}
