# bash completion for burl. A test keeps the lists equal to what "burl COMMAND --help" prints.

_burl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]} options=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "check fit score eval compare detect synth tune update embed info help --help --version" -- "$word"))
    return
  fi
  case $command in
    check) options="--threads --help" ;;
    fit)
      options="--output --encoder --layers --embed-encoder --method --prototypes --power --trim --clean --spatial
        --spatial-weight --false-alarm --set --no-auto --no-gallery --seed --threads --quiet --help"
      ;;
    score) options="--output --raw --no-pictures --explain --encoder --threads --quiet --help" ;;
    eval) options="--output --mask-threshold --pro-limit --boxes --format --encoder --threads --quiet --help" ;;
    compare) options="--format --threads --quiet --help" ;;
    detect)
      options="--output --top --min-score --fail-above --nms --mm-per-px --no-pictures --encoder --threads --quiet
        --help"
      ;;
    synth)
      options="--output --on --weave --print --repeat --train --test-good --per-defect --size --colour
        --seed --threads --quiet --help"
      ;;
    tune) options="--output --encoder --layers --seed --threads --quiet --help" ;;
    update) options="--output --force --encoder --threads --quiet --help" ;;
    embed) options="--output --encoder --layers --group --quiet --help" ;;
    info) options="--json --gallery --encoder --help" ;;
    help)
      COMPREPLY=($(compgen -W "check fit score eval compare detect synth tune update embed info" -- "$word"))
      return
      ;;
  esac
  case $before in
    --method) COMPREPLY=($(compgen -W "burl pradot coreset gaussian kmeans" -- "$word")) ;;
    --nms) COMPREPLY=($(compgen -W "greedy soft exact" -- "$word")) ;;
    --spatial) COMPREPLY=($(compgen -W "none grid periodic auto" -- "$word")) ;;
    --format) COMPREPLY=($(compgen -W "text markdown" -- "$word")) ;;
    --print) COMPREPLY=($(compgen -W "none dots stripes checks figures" -- "$word")) ;;
    --weave) COMPREPLY=($(compgen -W "plain twill satin rib all" -- "$word")) ;;
    --prototypes | --power | --trim | --clean | --spatial-weight | --false-alarm | --set | --seed | --threads | \
      --layers | --group | --mask-threshold | --pro-limit | --train | --test-good | --per-defect | --size | --repeat | \
      --top | --min-score | --fail-above | --mm-per-px) ;;
    *)
      case $word in
        -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
        *) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
      esac
      ;;
  esac
}
complete -F _burl burl
