# Debian's Prometheus where prom/prometheus has its own.
FROM debian:bookworm-slim
COPY prometheus promtool /bin/
COPY prometheus.yml /etc/prometheus/
RUN mkdir -p /prometheus && chown -R nobody:nogroup /prometheus /etc/prometheus
USER nobody
EXPOSE 9090
VOLUME ["/prometheus"]
WORKDIR /prometheus
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
