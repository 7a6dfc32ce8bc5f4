# Debian's Prometheus where prom/prometheus has its own.
FROM debian:bookworm-slim
COPY usr/bin/prometheus usr/bin/promtool /bin/
COPY etc/prometheus/prometheus.yml /etc/prometheus/
RUN mkdir -p /prometheus && chown -R nobody:nogroup /prometheus /etc/prometheus
USER nobody
EXPOSE 9090
VOLUME ["/prometheus"]
WORKDIR /prometheus
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
