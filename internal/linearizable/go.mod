module github.com/wapace/wapace/internal/linearizable

go 1.25.0

replace github.com/wapace/wapace => ../..

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/stretchr/testify v1.12.1
	github.com/wapace/wapace v0.0.0
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/time v0.15.0 // indirect
)
