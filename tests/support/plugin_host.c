/* Stands in for QEMU: loads the profiler's plugin, checks its version as QEMU's loader does, and drives it through a layer
 * with a loop of three rounds. Built for API version 1 (QEMU 7.2) or, with -DAPI=5, for the later one. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define VISIBLE __attribute__((visibility("default")))
#define LOOP 0x200U
#define LEAST_VERSION (API >= 5 ? 2 : 0)

struct qemu_plugin_insn {
    uint64_t address;
    uint8_t bytes[4];
    size_t size;
    void (*access)(unsigned, uint32_t, uint64_t, void *);
    void *access_data;
    void (*exec)(unsigned, void *);
    void *exec_data;
};
struct qemu_plugin_tb {
    struct qemu_plugin_insn insns[2];
    size_t count;
    void (*exec)(unsigned, void *);
    void *exec_data;
};
typedef struct {
    const char *target_name;
    struct {
        int min;
        int cur;
    } version;
    bool system_emulation;
    struct {
        int smp_vcpus;
        int max_vcpus;
    } system;
} info;

static void (*translated)(uint64_t, struct qemu_plugin_tb *);

VISIBLE void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*callback)(uint64_t, struct qemu_plugin_tb *))
{
    (void)id;
    translated = callback;
}
VISIBLE void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*callback)(unsigned, void *), int flags,
                                                  void *data)
{
    (void)flags;
    tb->exec = callback;
    tb->exec_data = data;
}
VISIBLE void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*callback)(unsigned, void *),
                                                    int flags, void *data)
{
    (void)flags;
    insn->exec = callback;
    insn->exec_data = data;
}
VISIBLE void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
                                              void (*callback)(unsigned, uint32_t, uint64_t, void *), int flags, int rw,
                                              void *data)
{
    (void)flags;
    (void)rw;
    insn->access = callback;
    insn->access_data = data;
}
VISIBLE size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb)
{
    return tb->count;
}
VISIBLE struct qemu_plugin_insn *qemu_plugin_tb_get_insn(struct qemu_plugin_tb *tb, size_t index)
{
    return &tb->insns[index];
}
VISIBLE uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn)
{
    return insn->address;
}
VISIBLE size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn)
{
    return insn->size;
}
VISIBLE unsigned qemu_plugin_mem_size_shift(uint32_t meminfo)
{
    return meminfo & 0xFU;
}
VISIBLE bool qemu_plugin_mem_is_store(uint32_t meminfo)
{
    return (meminfo & 0x10U) != 0U;
}
#if API >= 5
VISIBLE void *qemu_plugin_scoreboard_new(size_t size)
{
    (void)size;
    return NULL;
}
VISIBLE size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t size)
{
    size_t n = size < insn->size ? size : insn->size;
    memcpy(to, insn->bytes, n);
    return n;
}
#else
VISIBLE const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn)
{
    return insn->bytes;
}
#endif

static void run(struct qemu_plugin_tb *tb)
{
    tb->exec(0, tb->exec_data);
    for (size_t i = 0; i < tb->count; i++) {
        if (tb->insns[i].exec != NULL) {
            tb->insns[i].exec(0, tb->insns[i].exec_data);
        }
    }
}

int main(int argc, char **argv)
{
    void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (plugin == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    int version = *(int *)dlsym(plugin, "qemu_plugin_version");
    if (version < LEAST_VERSION || version > API) {
        fprintf(stderr, "plugin version %d, %d to %d are supported\n", version, LEAST_VERSION, API);
        return 3;
    }
    int (*install)(uint64_t, const info *, int, char **);
    *(void **)&install = dlsym(plugin, "qemu_plugin_install");
    info facts = {"arm", {LEAST_VERSION, API}, true, {1, 1}};
    if (install(1, &facts, argc - 2, argv + 2) != 0 || translated == NULL) {
        return 4;
    }
    /* a call; a load and a branch back; a store and the return, whose size is told too large as at the end of a page */
    struct qemu_plugin_tb call = {
        {
            {0x100, {0x00, 0xBF}, 2, NULL, NULL, NULL, NULL},
            {0x102, {0x98, 0x47}, 2, NULL, NULL, NULL, NULL},
        },
        2, NULL, NULL,
    };
    struct qemu_plugin_tb loop = {
        {
            {LOOP, {0x08, 0x68}, 2, NULL, NULL, NULL, NULL},
            {0x202, {0xFD, 0xD1}, 2, NULL, NULL, NULL, NULL},
        },
        2, NULL, NULL,
    };
    struct qemu_plugin_tb end = {
        {
            {0x204, {0x08, 0x60}, 2, NULL, NULL, NULL, NULL},
            {0x206, {0x70, 0x47, 0, 0}, 4, NULL, NULL, NULL, NULL},
        },
        2, NULL, NULL,
    };
    struct qemu_plugin_tb after = {
        {
            {0x104, {0x00, 0xBF}, 2, NULL, NULL, NULL, NULL},
        },
        1, NULL, NULL,
    };
    struct qemu_plugin_tb *all[] = {&call, &loop, &end, &after};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        translated(1, all[i]);
    }
    run(&call);
    for (uint32_t round = 0; round < 3U; round++) {
        run(&loop);
        loop.insns[0].access(0, 2U, 0x20000000U + 4U * round, loop.insns[0].access_data);
    }
    run(&end);
    end.insns[0].access(0, 0x12U, 0x20000100U, end.insns[0].access_data);
    run(&after);
    return 0;
}
