# A service manager in small: binds a socket on 127.0.0.1, says its port, and runs the command (its arguments) with that
# socket as descriptor 3. Each line on standard input ends the command by TERM, waits for it, and starts it again; the end
# of standard input ends it for good. It keeps the socket throughout, and never accepts from it.
#
#   SOCKET_FLAVOUR   tcp (default), or what the daemon must refuse: udp, unix, closed
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();

$| = 1;
my $flavour = $ENV{SOCKET_FLAVOUR} // 'tcp';
my $socket;
if ($flavour eq 'unix') {
    $socket = IO::Socket::UNIX->new(Local => $ENV{SOCKET_PATH}, Listen => 1) or die "unix: $!";
} elsif ($flavour eq 'udp') {
    $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp') or die "udp: $!";
} else {
    my $address = $ENV{SOCKET_ADDRESS} // '127.0.0.1';
    $socket = IO::Socket::INET->new(LocalAddr => $address, Listen => 1024, Proto => 'tcp') or die "tcp: $!";
    print 'port ', $socket->sockport, "\n";
}

sub start {
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    POSIX::dup2(fileno($socket), 3) if fileno($socket) != 3;
    $^F = 3;
    require Fcntl;
    open(my $three, '+<&=', 3) or die "3: $!";
    fcntl($three, Fcntl::F_SETFD(), 0) or die "fcntl: $!";
    POSIX::close(3) if $flavour eq 'closed';
    $ENV{LISTEN_FDS} = 1;
    $ENV{LISTEN_PID} = $$;
    open(STDIN, '<', '/dev/null');
    exec { $ARGV[0] } @ARGV or die "exec: $!";
}

sub finish {
    my ($pid) = @_;
    kill 'TERM', $pid;
    waitpid $pid, 0;
    print 'exited ', ($? & 127 ? 128 + ($? & 127) : $? >> 8), "\n";
}

my $pid = start();
while (defined(my $line = <STDIN>)) {
    finish($pid);
    $pid = start();
}
finish($pid);
