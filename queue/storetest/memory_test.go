package storetest_test

import (
	"testing"

	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/storetest"
)

func TestRun_Memory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Maker{New: func(testing.TB) queue.Store { return queue.NewMemory(100) }})
}
