package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var balancers = map[string]kgo.GroupBalancer{
	"range":              kgo.RangeBalancer(),
	"roundrobin":         kgo.RoundRobinBalancer(),
	"sticky":             kgo.StickyBalancer(),
	"cooperative-sticky": kgo.CooperativeStickyBalancer(),
}

// A member of a group, which reads in the background what it owns.
type member struct {
	consumer *kgo.Client
	stop     context.CancelFunc
	stopped  chan struct{}

	mutex sync.Mutex
	mine  map[int32]bool
	read  [][2]int64
	err   error
}

func (c *client) join(group, topic, assignor string) (any, error) {
	m := &member{mine: map[int32]bool{}, read: [][2]int64{}, stopped: make(chan struct{})}
	var err error
	m.consumer, err = kgo.NewClient(
		kgo.SeedBrokers(c.bootstrap...),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.Balancers(balancers[assignor]),
		kgo.HeartbeatInterval(300*time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, given map[string][]int32) { m.change(given, true) }),
		kgo.OnPartitionsRevoked(func(ctx context.Context, consumer *kgo.Client, taken map[string][]int32) {
			m.change(taken, false)
			m.failed(consumer.CommitUncommittedOffsets(ctx))
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { m.change(lost, false) }),
	)
	if err != nil {
		return nil, err
	}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(context.Background())
	go m.poll(ctx)
	c.members[group] = m
	return map[string]any{}, nil
}

func (m *member) poll(ctx context.Context) {
	defer close(m.stopped)
	for ctx.Err() == nil {
		fetches := m.consumer.PollFetches(ctx)
		if ctx.Err() == nil {
			m.failed(fetches.Err())
		}
		m.mutex.Lock()
		fetches.EachRecord(func(r *kgo.Record) { m.read = append(m.read, [2]int64{int64(r.Partition), r.Offset}) })
		m.mutex.Unlock()
	}
}

func (m *member) change(topics map[string][]int32, mine bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, partitions := range topics {
		for _, partition := range partitions {
			if mine {
				m.mine[partition] = true
			} else {
				delete(m.mine, partition)
			}
		}
	}
}

// Keeps the first error, for whoever asks next.
func (m *member) failed(err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.err == nil {
		m.err = err
	}
}

// What a member owns now, and all that it has read: partition and offset.
func (c *client) owned(group string) (any, error) {
	m := c.members[group]
	if m == nil {
		return nil, fmt.Errorf("no member of %s is here", group)
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	mine := []int32{}
	for partition := range m.mine {
		mine = append(mine, partition)
	}
	return map[string]any{"owned": mine, "read": append([][2]int64{}, m.read...)}, nil
}

// Commits and leaves; the answer is what it had read.
func (c *client) leave(group string) (any, error) {
	m := c.members[group]
	if m == nil {
		return nil, fmt.Errorf("no member of %s is here", group)
	}
	m.stop()
	<-m.stopped
	err := m.consumer.CommitUncommittedOffsets(context.Background())
	m.consumer.Close()
	delete(c.members, group)
	return map[string]any{"read": m.read}, err
}
