/* Runs relocatable models, NAME.bin of `tinyhil generate --relocatable`, where they lie: in flash, RAM or external
 * memory. No heap and no state of its own: any number of models at once. docs/relocatable-runtime.md shows its use.
 *
 * All that is read of a file is checked first; no byte outside the file, the arena and the records given is touched.
 * Hashes find damage, not intent: a file that is not trusted is signed, and `verify` of the host checks that before
 * anything in it is called. */
#ifndef TINYHIL_RELOCATABLE_H
#define TINYHIL_RELOCATABLE_H

#include "tinyhil_relocatable_format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define TINYHIL_RELOC_CAST(type, value) static_cast<type>(value)
#else
#define TINYHIL_RELOC_CAST(type, value) ((type)(value))
#endif

typedef enum {
    TINYHIL_RELOC_OK = 0,
    /* The file: */
    TINYHIL_RELOC_BAD_SIZE = 64, /* fewer bytes than it should have */
    TINYHIL_RELOC_BAD_ALIGNMENT,    /* its address, or that of the weights */
    TINYHIL_RELOC_BAD_MAGIC,        /* no relocatable model */
    TINYHIL_RELOC_BAD_HEADER,       /* the CRC of its header */
    TINYHIL_RELOC_BAD_VERSION,      /* another format */
    TINYHIL_RELOC_BAD_ABI,          /* made for another runtime */
    TINYHIL_RELOC_BAD_CORE,
    TINYHIL_RELOC_BAD_FEATURES, /* code for a unit that this core or build has not */
    TINYHIL_RELOC_BAD_BOUNDS,   /* something in it points out of it, or out of the arena */
    TINYHIL_RELOC_BAD_CRC,
    TINYHIL_RELOC_BAD_SHA256,
    TINYHIL_RELOC_BAD_WEIGHTS, /* missing, or those of another model */
    /* The firmware: */
    TINYHIL_RELOC_BAD_ARENA,  /* too small, not aligned, or over the file */
    TINYHIL_RELOC_NOT_VERIFIED, /* `verify` said no */
    TINYHIL_RELOC_NOT_READY     /* not installed, or not initialized */
} tinyhil_reloc_status;

/* How far to check. Sizes, bounds and the header's CRC always are. */
typedef enum { TINYHIL_RELOC_BOUNDS = 0, TINYHIL_RELOC_CRC, TINYHIL_RELOC_SHA256 } tinyhil_reloc_depth;

/* The files: bytes that may be read there, at least those that the file has. `weights` is NULL unless they are apart. */
typedef struct {
    const uint8_t *blob;
    uint32_t blob_bytes;
    const uint8_t *weights;
    uint32_t weights_bytes;
} tinyhil_reloc_files;

/* The machine and what the firmware adds; tinyhil_reloc_this_core() fills it in. */
typedef struct {
    uint32_t core;     /* TINYHIL_RELOC_CORTEX_... */
    uint32_t features; /* TINYHIL_RELOC_DSP and so on, as they are switched on */
    /* Whether the file may be called, asked when all else is right: its signature. `files` has its true sizes. */
    bool (*verify)(void *user, const tinyhil_reloc_files *files);
    /* Makes what was written to these bytes what is read and run. NULL: the caches of M7 and M55 by their registers,
     * which takes privilege; a cache of the chip's own (ART, ICACHE, flash controller) is the firmware's to clear. */
    void (*sync)(void *user, const uint8_t *start, uint32_t bytes);
    void *user;
} tinyhil_reloc_host;

/* A model that is installed. `header` may be read; the rest is tinyhil_relocatable.c's. */
typedef struct {
    const tinyhil_reloc_header *header;
    const uint8_t *weights;
    uint8_t *arena;
    uint32_t arena_bytes;
    bool ready;
    uint64_t context[TINYHIL_RELOC_CONTEXT_MAX / 8U];
} tinyhil_reloc;

/* Says in the firmware's ELF that this runtime is in it. */
extern const tinyhil_reloc_abi_record tinyhil_reloc_abi;

/* This core (from CPUID, which takes privilege, or -DTINYHIL_RELOC_CORE=0x...) and the units that this file was compiled
 * for; no hooks. */
void tinyhil_reloc_this_core(tinyhil_reloc_host *host);

/* Whether the file can run here; nothing in it is called. */
tinyhil_reloc_status tinyhil_reloc_check(
    const tinyhil_reloc_host *host, const tinyhil_reloc_files *files, tinyhil_reloc_depth depth);

/* What the file says of itself, on any core: its header, which names the arena and numbers of inputs and outputs, and
 * the tables below. All bounds are checked, hashes are not. `*header` is NULL where the file is refused. */
tinyhil_reloc_status tinyhil_reloc_describe(const tinyhil_reloc_files *files, const tinyhil_reloc_header **header);

/* The table at `offset` of a file that was described. */
static inline const void *tinyhil_reloc_table(const tinyhil_reloc_header *header, uint32_t offset)
{
    const void *file = header;
    return TINYHIL_RELOC_CAST(const uint8_t *, file) + offset;
}

/* Inputs, and behind them outputs: type, shape, scale, zero point, bytes. */
static inline const tinyhil_reloc_tensor *tinyhil_reloc_tensors(const tinyhil_reloc_header *header)
{
    return TINYHIL_RELOC_CAST(const tinyhil_reloc_tensor *, tinyhil_reloc_table(header, header->tensors_offset));
}

/* Checks the file to the full, signature included. File and arena must stay where they are until deinit. */
tinyhil_reloc_status tinyhil_reloc_install(
    tinyhil_reloc *model, const tinyhil_reloc_host *host, const tinyhil_reloc_files *files, void *arena,
    uint32_t arena_bytes);

/* Prepares the arena, states included; also to begin anew. 0, a tinyhil_reloc_status, or what the model returns. */
int32_t tinyhil_reloc_init(tinyhil_reloc *model);

/* Where an input goes and an output is found; NULL where there is none, or before init. */
void *tinyhil_reloc_input(const tinyhil_reloc *model, uint32_t index);
const void *tinyhil_reloc_output(const tinyhil_reloc *model, uint32_t index);

/* One inference; the observer may be NULL. 0, a tinyhil_reloc_status, or what the model returns. */
int32_t tinyhil_reloc_invoke(tinyhil_reloc *model, tinyhil_reloc_observer observer, void *user);

/* Nothing of the file is called afterwards; file and arena are free again. */
void tinyhil_reloc_deinit(tinyhil_reloc *model);

#ifdef __cplusplus
}
#endif

#endif
