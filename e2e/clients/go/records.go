package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A record as it travels on stdin and stdout: bytes in base64, nil as null.
type record struct {
	Topic     string   `json:"topic"`
	Partition int32    `json:"partition"`
	Offset    int64    `json:"offset"`
	Timestamp int64    `json:"timestamp"`
	Key       []byte   `json:"key"`
	Value     []byte   `json:"value"`
	Headers   []header `json:"headers"`
}

type header struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
}

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

func (r record) toSend() *kgo.Record {
	sent := &kgo.Record{
		Topic:     r.Topic,
		Partition: r.Partition,
		Timestamp: time.UnixMilli(r.Timestamp),
		Key:       r.Key,
		Value:     r.Value,
	}
	for _, h := range r.Headers {
		sent.Headers = append(sent.Headers, kgo.RecordHeader{Key: h.Name, Value: h.Value})
	}
	return sent
}

func received(r *kgo.Record) record {
	read := record{
		Topic:     r.Topic,
		Partition: r.Partition,
		Offset:    r.Offset,
		Timestamp: r.Timestamp.UnixMilli(),
		Key:       r.Key,
		Value:     r.Value,
		Headers:   []header{},
	}
	for _, h := range r.Headers {
		read.Headers = append(read.Headers, header{Name: h.Key, Value: h.Value})
	}
	return read
}

// Produces all, each to its partition; answers with their offsets, in the order of the records.
func (c *client) produce(codec string, records []record) (any, error) {
	producer, err := kgo.NewClient(
		kgo.SeedBrokers(c.bootstrap...),
		kgo.ProducerBatchCompression(codecs[codec]),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var sent []*kgo.Record
	for _, r := range records {
		sent = append(sent, r.toSend())
	}
	if err := producer.ProduceSync(ctx, sent...).FirstErr(); err != nil {
		return nil, err
	}
	var offsets []int64
	for _, r := range sent {
		offsets = append(offsets, r.Offset)
	}
	return map[string]any{"offsets": offsets}, nil
}

// Reads these topics from their beginning until so many records have come.
func (c *client) consume(topics []string, count int) (any, error) {
	consumer, err := kgo.NewClient(
		kgo.SeedBrokers(c.bootstrap...),
		kgo.ConsumeTopics(topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	read := []record{}
	for len(read) < count {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("after %d of %d records: %w", len(read), count, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { read = append(read, received(r)) })
	}
	return map[string]any{"records": read}, nil
}
