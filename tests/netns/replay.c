// replay FILE.pcap INTERFACE: sends the packets of a capture at the times they were captured at, as
// exactly as this machine can: each has its own appointment, so that none delays those after it.
// Prints how many were sent and how late the latest was. Ethernet; classic pcap of this byte order.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { kLongest = 65536 };
static const int64_t kSecond = 1000000000;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

static void wait_until(int64_t at) {
  struct timespec time = {at / kSecond, at % kSecond};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0) {
  }
}

int main(int argc, char** argv) {
  static unsigned char packet[kLongest];
  uint32_t head[6], record[4];
  struct sockaddr_ll address;
  int64_t begin = 0, first = 0, latest = 0;
  unsigned long sent = 0;
  if (argc != 3) {
    fprintf(stderr, "usage: replay FILE.pcap INTERFACE\n");
    return 2;
  }
  FILE* file = fopen(argv[1], "rb");
  if (file == NULL || fread(head, sizeof head, 1, file) != 1 ||
      (head[0] != 0xa1b2c3d4 && head[0] != 0xa1b23c4d) || (head[5] & 0xffff) != 1) {
    fprintf(stderr, "replay: %s is no capture of Ethernet that this reads\n", argv[1]);
    return 1;
  }
  const int64_t unit = head[0] == 0xa1b23c4d ? 1 : 1000;
  const int socket_to = socket(AF_PACKET, SOCK_RAW, 0);
  memset(&address, 0, sizeof address);
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = (int)if_nametoindex(argv[2]);
  if (socket_to < 0 || bind(socket_to, (struct sockaddr*)&address, sizeof address) != 0) {
    perror("replay: bind");
    return 1;
  }
  while (fread(record, sizeof record, 1, file) == 1) {
    const int64_t time = record[0] * kSecond + record[1] * unit;
    if (record[2] > kLongest || fread(packet, 1, record[2], file) != record[2]) break;
    if (sent == 0) {
      first = time;
      begin = now();
    }
    wait_until(begin + time - first);
    if (send(socket_to, packet, record[2], 0) != (ssize_t)record[2]) {
      perror("replay: send");
      return 1;
    }
    const int64_t late = now() - (begin + time - first);
    if (late > latest) latest = late;
    ++sent;
  }
  printf("sent %lu, at most %.1f ms late\n", sent, (double)latest / 1e6);
  return 0;
}
