/* The least that a relay can do: two threads a connection, one large buffer each, nothing read or checked.
   relay PORT: listens on a port of its own, which it prints, and passes everything on to PORT; 127.0.0.1 both. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct way {
  int from, to;
};

static void *pass_on(void *argument) {
  struct way *way = argument;
  size_t size = 1 << 20;
  char *buffer = malloc(size);
  ssize_t count;
  while ((count = read(way->from, buffer, size)) > 0)
    for (ssize_t sent = 0, now; sent < count; sent += now)
      if ((now = write(way->to, buffer + sent, count - sent)) <= 0) _exit(1);
  free(buffer);
  shutdown(way->to, SHUT_WR);
  return NULL;
}

int main(int count, char **words) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in host = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(count > 1 ? atoi(words[1]) : 0)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (void *)&address, length) || listen(listener, 16)) return 1;
  getsockname(listener, (void *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int client = accept(listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);
    if (client < 0 || connect(server, (void *)&host, sizeof host)) return 1;
    struct way up = {client, server}, down = {server, client};
    pthread_t thread;
    if (pthread_create(&thread, NULL, pass_on, &up)) return 1;
    pass_on(&down);
    pthread_join(thread, NULL);
    close(client);
    close(server);
  }
}
