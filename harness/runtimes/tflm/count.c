/* QEMU's TCG plugin: how many instructions were executed when the core came to marked addresses.
 *
 * Arguments: marks=FILE, addresses in hexadecimal, one a line; counts=FILE, to which "ADDRESS COUNT" is appended whenever
 * the core is about to execute the instruction there. */
#include "qemu_plugin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_MARKS 64

/* A marked instruction within a block, and how many of the block come from it on. */
typedef struct {
    uint32_t address;
    uint32_t rest;
} mark;

static uint64_t executed; /* with all of the block that runs */
static uint32_t marks[MOST_MARKS];
static size_t mark_count;
static FILE *counts;

static void on_block(unsigned vcpu, void *data)
{
    (void)vcpu;
    executed += (uintptr_t)data;
}

static void on_mark(unsigned vcpu, void *data)
{
    (void)vcpu;
    const mark *m = data;
    fprintf(counts, "%" PRIx32 " %" PRIu64 "\n", m->address, executed - m->rest);
    fflush(counts);
}

static bool is_mark(uint32_t address)
{
    for (size_t i = 0; i < mark_count; i++) {
        if (marks[i] == address) {
            return true;
        }
    }
    return false;
}

/* What is allocated for a block stays: it may run until the end. */
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    size_t count = qemu_plugin_tb_n_insns(tb);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, (void *)(uintptr_t)count);
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint32_t address = (uint32_t)qemu_plugin_insn_vaddr(insn);
        if (is_mark(address)) {
            mark *m = malloc(sizeof *m);
            if (m == NULL) {
                abort();
            }
            *m = (mark){address, (uint32_t)(count - i)};
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, QEMU_PLUGIN_CB_NO_REGS, m);
        }
    }
}

static bool read_marks(const char *path)
{
    FILE *file = fopen(path, "r");
    unsigned address;
    if (file == NULL) {
        return false;
    }
    while (mark_count < MOST_MARKS && fscanf(file, "%x", &address) == 1) {
        marks[mark_count++] = address;
    }
    fclose(file);
    return mark_count > 0U;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    const char *list = NULL, *to = NULL;
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "marks=", 6) == 0) {
            list = argv[i] + 6;
        } else if (strncmp(argv[i], "counts=", 7) == 0) {
            to = argv[i] + 7;
        }
    }
    if (list == NULL || to == NULL || !read_marks(list) || (counts = fopen(to, "w")) == NULL) {
        fprintf(stderr, "tinyhil: the plugin cannot count: marks=%s counts=%s\n", list ? list : "", to ? to : "");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
