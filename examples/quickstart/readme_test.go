package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README's Go is cut from files that are compiled and run.
func TestReadmeShowsCodeThatRuns(t *testing.T) {
	t.Parallel()
	const root = "../.."
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	text := strings.ReplaceAll(string(readme), "\r\n", "\n")
	blocks := regexp.MustCompile("(?s)<!-- (from|needs) (\\S+) -->\n```go\n(.*?)```\n").FindAllStringSubmatch(text, -1)
	require.Len(t, blocks, strings.Count(text, "```go\n"), "each block names the file it is from, or the module it needs")
	checked := 0
	for _, b := range blocks {
		if b[1] == "needs" {
			continue
		}
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(b[2])))
		require.NoError(t, err)
		require.Contains(t, unindented(string(source)), unindented(b[3]), "not in %s", b[2])
		checked++
	}
	require.NotZero(t, checked)

	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		_, err := os.Stat(filepath.Join(root, filepath.FromSlash(link[1])))
		require.NoError(t, err, "the README links to it")
	}
}

func unindented(code string) string {
	var out strings.Builder
	for line := range strings.Lines(code) {
		out.WriteString(strings.TrimSpace(line) + "\n")
	}
	return out.String()
}
