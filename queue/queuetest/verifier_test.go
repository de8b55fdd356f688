package queuetest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

func TestVerifier_Answers(t *testing.T) {
	t.Parallel()
	h, v := queuetest.NewVerifier(t, policy.Standard(), nil)
	require.Same(t, h.Sender, v.Sender)
	no := errors.New("no answer")
	v.AnswerOthers(queuetest.Verification{Unknown: true})
	v.Answer("1", queuetest.Verification{To: "2", Took: time.Second})
	v.Answer("3", queuetest.Verification{Err: no})
	v.Answer("4", queuetest.Verification{Panic: "no session"})

	got, err := v.Verify(t.Context(), "a", "1")
	require.NoError(t, err)
	require.Equal(t, queue.Verification{Registered: true, To: "2"}, got)
	got, err = v.Verify(t.Context(), "a", "5")
	require.NoError(t, err)
	require.False(t, got.Registered)
	_, err = v.Verify(t.Context(), "b", "3")
	require.ErrorIs(t, err, no)
	require.PanicsWithValue(t, "no session", func() { _, _ = v.Verify(t.Context(), "a", "4") })
	_, err = v.Send(t.Context(), queue.Message{Account: "a", To: "1"})
	require.NoError(t, err)

	start := queuetest.Epoch()
	after := start.Add(time.Second)
	check := func(account, to string, at time.Time) queuetest.Call {
		return queuetest.Call{Account: account, Action: policy.CheckNumber, Recipient: to, At: at, Done: after}
	}
	checks := []queuetest.Call{check("a", "1", start), check("a", "5", after), check("b", "3", after), check("a", "4", after)}
	require.Equal(t, checks, v.Checks())
	require.Len(t, v.Log(), 5, "the send is in the same log")
	require.Len(t, v.Sent(), 1)
}

func TestVerifier_HonoursItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &queuetest.Verifier{Sender: &queuetest.Sender{}}
		v.AnswerOthers(queuetest.Verification{Took: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(time.Second, cancel)
		_, err := v.Verify(ctx, "a", "1")
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, time.Second, time.Since(start))
	})
}

// A queue that asks more often than its policy allows would be found out.
func TestVerifier_IsAudited(t *testing.T) {
	t.Parallel()
	_, v := queuetest.NewVerifier(t, policy.Standard(), nil)
	for range 21 {
		_, err := v.Verify(t.Context(), "a", "1")
		require.NoError(t, err)
	}
	found := queuetest.Audit(policy.Standard(), v.Log())
	require.Len(t, found, 1)
	require.Equal(t, "check_minute", found[0].Rule)
}
