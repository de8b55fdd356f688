package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every mutant still finds in the library what it changes, so that whoever rewrites
// that learns it from the tests.
func TestMutants_StandInTheCode(t *testing.T) {
	t.Chdir("../..")
	require.NotEmpty(t, trials())
	for _, m := range trials() {
		_, err := m.write(t.TempDir())
		assert.NoError(t, err)
		assert.NotEqual(t, m.old, m.broken, m.name)
	}
}
