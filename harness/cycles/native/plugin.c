/* QEMU's TCG plugin: tells the tracer of every block and every load and store. */
#include "qemu_plugin.h"

#include "tracer.h"

/* An instruction's loads and stores. Which of the two it makes is known when it makes one. */
typedef struct {
    trace_node load, store;
} site;

static tracer the_tracer;
static insn_data_into copy_insn_data; /* NULL before version 3 */

static void on_block(unsigned vcpu, void *data)
{
    (void)vcpu;
    tracer_on_block(&the_tracer, data);
    if (the_tracer.finished && the_tracer.regions.count != 0U) {
        _Exit(0); /* a program has no end that anyone waits for */
    }
}

static void on_access(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
    (void)vcpu;
    site *s = data;
    trace_node *node = qemu_plugin_mem_is_store(info) ? &s->store : &s->load;
    tracer_on_access(&the_tracer, node, (uint32_t)address, 1U << qemu_plugin_mem_size_shift(info));
}

/* An instruction's two halfwords. Its size is not asked for: QEMU counts what it looks ahead at the end of a page. */
static void read_insn(const struct qemu_plugin_insn *insn, uint32_t halfwords[2])
{
    uint8_t bytes[4] = {0, 0, 0, 0};
    size_t size = qemu_plugin_insn_size(insn);
    size = size < sizeof bytes ? size : sizeof bytes;
    if (copy_insn_data != NULL) {
        (void)copy_insn_data(insn, bytes, size);
    } else {
        memcpy(bytes, qemu_plugin_insn_data(insn), size);
    }
    halfwords[0] = bytes[0] + 256U * bytes[1];
    halfwords[1] = bytes[2] + 256U * bytes[3];
}

/* The code may be translated again, and is then told of again; what was allocated for it stays, as it may still run. */
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    size_t count = qemu_plugin_tb_n_insns(tb);
    if (count == 0U || the_tracer.finished) {
        return;
    }
    tracer_block *block = NULL;
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint32_t address = (uint32_t)qemu_plugin_insn_vaddr(insn);
        if (block == NULL || tracer_points_at(&the_tracer.regions, address) != NULL) {
            block = malloc(sizeof *block);
            if (block == NULL || count > TRACE_MOST_INSTRUCTIONS) {
                abort();
            }
            tracer_init_block(&the_tracer, block, address);
            if (i == 0U) {
                qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
            } else {
                qemu_plugin_register_vcpu_insn_exec_cb(insn, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
            }
        }
        uint32_t halfwords[2];
        read_insn(insn, halfwords);
        int is_wide = halfwords[0] >= 0xE800U;
        tracer_add_instruction(block, is_wide ? 4U : 2U);
        block->ends = tracer_ending(halfwords[0], halfwords[1], is_wide);
        site *s = malloc(sizeof *s);
        if (s == NULL) {
            abort();
        }
        trace_init_node(&s->load, TRACE_LOAD, address);
        trace_init_node(&s->store, TRACE_STORE, address);
        qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, s);
    }
}

/* Arguments: list=FILE and trace=FILE. */
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    const char *list = NULL, *trace = NULL;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "list=", 5) == 0) {
            list = argv[i] + 5;
        } else if (strncmp(argv[i], "trace=", 6) == 0) {
            trace = argv[i] + 6;
        }
    }
    if (info->version.cur >= 3) {
        void *function = dlsym(RTLD_DEFAULT, "qemu_plugin_insn_data");
        memcpy(&copy_insn_data, &function, sizeof function);
    }
    if (list == NULL || trace == NULL || tracer_open(&the_tracer, list, trace) != 0) {
        fprintf(stderr, "tinyhil: the trace cannot be begun: list=%s trace=%s\n", list ? list : "", trace ? trace : "");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
