package queue

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// A fakeClock keeps what it was asked for, and moves when it is.
type fakeClock struct {
	now    time.Time
	late   time.Duration // how far it moves when an alarm is set
	alarms []time.Duration
}

func (c *fakeClock) Now() time.Time { return c.now }

func (c *fakeClock) After(d time.Duration) <-chan time.Time {
	c.alarms = append(c.alarms, d)
	c.now = c.now.Add(c.late)
	return make(chan time.Time)
}

func TestAlarm(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	c := &fakeClock{now: start}
	var a alarm
	require.False(t, a.set(c, start), "due now")
	require.False(t, a.set(c, start.Add(-time.Hour)), "overdue: some clocks go back when asked for that")
	require.Empty(t, c.alarms)

	require.True(t, a.set(c, start.Add(time.Minute)))
	first := a.channel
	require.True(t, a.set(c, start.Add(time.Minute)))
	require.True(t, a.set(c, start.Add(time.Hour)), "it rings before")
	require.Equal(t, first, a.channel)
	require.Equal(t, []time.Duration{time.Minute}, c.alarms, "one alarm does")

	require.True(t, a.set(c, start.Add(time.Second)))
	require.NotEqual(t, first, a.channel)
	require.Equal(t, []time.Duration{time.Minute, time.Second}, c.alarms)

	require.True(t, a.set(c, start.Add(time.Second-slack/2)), "a little sooner")
	require.Equal(t, []time.Duration{time.Minute, time.Second, time.Second - slack/2}, c.alarms)

	a, c.alarms, c.late = alarm{}, nil, slack
	require.True(t, a.set(c, start.Add(time.Minute)), "as good as in time")
	require.True(t, a.set(c, start.Add(time.Minute)), "so it is kept")
	c.late = slack + 1
	require.False(t, a.set(c, start.Add(time.Second)), "it may ring late")
	c.late = 0
	require.True(t, a.set(c, start.Add(time.Second)), "so it is set again")
	require.Len(t, c.alarms, 3)
}

func TestTogether(t *testing.T) {
	t.Parallel()
	q, err := New(policy.Unlimited(), SenderFunc(func(context.Context, Message) (Receipt, error) { return Receipt{}, nil }), nil)
	require.NoError(t, err)
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	soon, late := now.Add(grain/4), now.Add(time.Second)
	woke := now.Add(-grain / 2)
	require.Equal(t, soon, q.together(soon, woke, now), "few lanes wait")
	q.shards[0].due.size.Store(fewLanes - 1)
	q.shards[5].due.size.Store(2)
	require.Equal(t, woke.Add(grain), q.together(soon, woke, now))
	require.Equal(t, late, q.together(late, woke, now))
	require.Equal(t, soon, q.together(soon, now.Add(-grain), now), "it woke long ago")
	require.Equal(t, soon, q.together(soon, time.Time{}, now), "it never woke")
	require.Equal(t, soon, q.together(soon, now.Add(time.Hour), now), "the clock was set back")
}

func TestSteady(t *testing.T) {
	t.Parallel()
	q, err := New(policy.Unlimited(), SenderFunc(func(context.Context, Message) (Receipt, error) { return Receipt{}, nil }), nil)
	require.NoError(t, err)
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	woke := now.Add(-grain / 2)
	before := woke.Add(-lull / 2)
	require.False(t, q.steady(before, woke, now), "few lanes wait")
	q.shards[0].due.size.Store(fewLanes + 1)
	require.True(t, q.steady(before, woke, now))
	require.False(t, q.steady(time.Time{}, time.Time{}, now), "it never woke")
	require.False(t, q.steady(time.Time{}, woke, now), "it woke once")
	require.False(t, q.steady(woke.Add(-lull), woke, now), "it slept for long")
	require.False(t, q.steady(before, woke, woke.Add(grain)), "it woke long ago")
	require.False(t, q.steady(before, woke, woke.Add(-grain)), "the clock was set back")
}
