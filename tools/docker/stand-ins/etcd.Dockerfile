# Debian's etcd where quay.io/coreos/etcd has its own.
FROM debian:bookworm-slim
COPY usr/bin/etcd usr/bin/etcdctl /usr/local/bin/
RUN mkdir -p /var/etcd /var/lib/etcd
EXPOSE 2379 2380
CMD ["/usr/local/bin/etcd"]
