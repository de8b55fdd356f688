package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkWorks is every side of every pair by itself, for profiles and
// benchstat. The program compares the sides better.
func BenchmarkWorks(b *testing.B) {
	plain := strings.NewReplacer("/", "-", " ", "-")
	for _, w := range works(newCrowd(1_000_000)) {
		for _, p := range w.pairs {
			if p.theirs != nil {
				b.Run(w.name+"/"+plain.Replace(p.peer)+"/ours", func(b *testing.B) { benchmark(b, p.ours) })
				b.Run(w.name+"/"+plain.Replace(p.peer)+"/theirs", func(b *testing.B) { benchmark(b, p.theirs) })
			}
		}
	}
}

func benchmark(b *testing.B, build builder) {
	c, err := build()
	require.NoError(b, err)
	b.ReportAllocs()
	b.ResetTimer()
	allowed := c.run(b.N)
	b.StopTimer()
	if c.refuses {
		require.Zero(b, allowed)
	} else {
		require.Equal(b, b.N, allowed)
	}
}
