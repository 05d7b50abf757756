# Outlives a test that is killed, and clears up after it: reads what to do from the test, and does it when the test
# is gone, however it went (the pipe closes). $1 = the bed's folder.
group= keep=
while read -r word value; do
  case $word in
    group) group=$value ;;
    keep) keep=yes ;;
  esac
done
# `-s`: the kill of dash takes no other form together with a group.
[ -z "$group" ] || kill -s KILL -- "-$group"
[ -n "$keep" ] || rm -rf -- "$1"
