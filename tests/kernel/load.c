// Runs as the first process of another kernel: loads each program of the collector and passes a
// packet through it. Static, so that nothing else is needed there.
#include <bpf/bpf.h>
#include <bpf/flow.skel.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

// Ethernet, IPv4, UDP with four bytes.
static const unsigned char kFrame[] = {
    2,   2,   2,   2,   2, 2,  2, 2, 2, 2,   2, 2,   8, 0,    0x45, 0,    0,    32, 0,  1, 0,
    0,   64,  17,  0,   0, 10, 0, 0, 5, 203, 0, 113, 9, 0xc3, 0x50, 0x13, 0x88, 0,  12, 0, 0,
    'p', 'i', 'n', 'g', 0, 0,  0, 0, 0, 0,   0, 0,   0, 0,    0,    0,    0,    0,  0,  0};

static int check(void) {
  struct flow_bpf* skeleton = flow_bpf__open();
  struct bpf_program* program;
  int passed = 0;
  if (!skeleton) return 0;
  bpf_map__set_max_entries(skeleton->maps.flows, 1024);
  if (flow_bpf__load(skeleton) != 0) return 0;
  bpf_object__for_each_program(program, skeleton->obj) {
    struct bpf_test_run_opts options;
    memset(&options, 0, sizeof options);
    options.sz = sizeof options;
    options.data_in = kFrame;
    options.data_size_in = sizeof kFrame;
    options.repeat = 1;
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0) {
      perror(bpf_program__name(program));
      return 0;
    }
    printf("loaded %s: verdict %d\n", bpf_program__name(program), (int)options.retval);
    ++passed;
  }
  {  // all trackers saw the one flow
    struct {
      unsigned char bytes[40];
    } key, next;
    int flows = 0, more = bpf_map_get_next_key(bpf_map__fd(skeleton->maps.flows), NULL, &next);
    while (more == 0) {
      ++flows;
      key = next;
      more = bpf_map_get_next_key(bpf_map__fd(skeleton->maps.flows), &key, &next);
    }
    printf("flows: %d\n", flows);
    if (flows != 1) return 0;
  }
  return passed == 4;
}

int main(void) {
  struct utsname name;
  setvbuf(stdout, NULL, _IONBF, 0);
  mkdir("/sys", 0755);
  mkdir("/proc", 0755);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  mount("proc", "/proc", "proc", 0, NULL);
  uname(&name);
  printf("kernel %s\n", name.release);
  printf(check() ? "ALL PASSED\n" : "NOT PASSED\n");
  sync();
  reboot(RB_POWER_OFF);
  return 0;
}
