package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says where to put the output.
func (c *completionCommand) Help() string {
	return `bash:  source <(syncpayloads completion bash)     in ~/.bashrc
zsh:   source <(syncpayloads completion zsh)      in ~/.zshrc
fish:  syncpayloads completion fish | source      in ~/.config/fish/config.fish`
}

// The shell runs the program itself for completions, with the line in COMP_LINE.
var completionScripts = map[string]string{
	"bash": "complete -o default -C '%s' syncpayloads\n",
	"zsh":  "autoload -U +X bashcompinit && bashcompinit\ncomplete -o nospace -o default -C '%s' syncpayloads\n",
	"fish": `function __complete_syncpayloads
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    '%s'
end
complete -f -c syncpayloads -a "(__complete_syncpayloads)"
`,
}

// Run prints the script.
func (c *completionCommand) Run(out io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's own file: %w", err)
	}
	fmt.Fprintf(out, completionScripts[c.Shell], strings.ReplaceAll(self, "'", `'\''`))
	return nil
}
